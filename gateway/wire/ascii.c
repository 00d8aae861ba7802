#include "wire/ascii.h"

#define NAME ASCII_SD_NAME
#define WORD (ASCII_TAG | ASCII_HOST | ASCII_SD_NAME)

const unsigned char ascii_classes[256] = {
    ['0' ... '9'] = ASCII_DIGIT | WORD,
    ['A' ... 'Z'] = ASCII_LETTER | WORD,
    ['a' ... 'z'] = ASCII_LETTER | WORD,
    ['_'] = WORD,
    ['-'] = WORD,
    ['.'] = WORD,
    ['/'] = WORD,
    ['%'] = NAME | ASCII_TAG,
    ['@'] = NAME | ASCII_TAG,
    ['+'] = NAME | ASCII_TAG,
    ['#'] = NAME | ASCII_TAG,
    ['('] = NAME | ASCII_TAG,
    [')'] = NAME | ASCII_TAG,
    ['\\'] = NAME | ASCII_TAG,
    ['!'] = NAME,
    ['$'] = NAME,
    ['&'] = NAME,
    ['\''] = NAME,
    ['*'] = NAME,
    [','] = NAME,
    [':'] = NAME,
    [';'] = NAME,
    ['<'] = NAME,
    ['>'] = NAME,
    ['?'] = NAME,
    ['['] = NAME,
    ['^'] = NAME,
    ['`'] = NAME,
    ['{'] = NAME,
    ['|'] = NAME,
    ['}'] = NAME,
    ['~'] = NAME,
};
