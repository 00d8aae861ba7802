/*
 * tool -- what flood, sink and floor have in common.
 *
 * They are measuring tools for one machine: any error that is not part of what
 * they measure ends the program with a message and status 1.
 */
#ifndef TOOL_H
#define TOOL_H

#include <netinet/in.h>
#include <stdint.h>

void tool_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* The same, with strerror(errno) behind it. */
void tool_die_errno(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Monotonic nanoseconds. */
int64_t tool_now(void);

/* Descriptors up to the hard limit: 10,000 connections need them. */
void tool_raise_nofile(void);

/* A whole number from min to max, else an error that names the option. */
int64_t tool_number(const char *option, const char *text, int64_t min, int64_t max);

/* "127.0.0.1:514"; IPv4 addresses only: the tools never leave the machine. */
struct sockaddr_in tool_address(const char *option, const char *text);

#endif
