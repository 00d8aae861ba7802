#include "wire/zone.h"

#include <time.h>

enum {
	AMBIGUOUS = 10000, /* minutes; no zone is as far as that */
	/* Zones change at quarters of an hour, so within one the offset stands. */
	QUARTER_SECONDS = 900,
};

static const struct {
	struct slice name;
	int minutes;
} zones[] = {
    {SLICE_INIT("UTC"), 0},	    {SLICE_INIT("GMT"), 0},	    {SLICE_INIT("Z"), 0},
    {SLICE_INIT("CET"), 60},	    {SLICE_INIT("CEST"), 120},	    {SLICE_INIT("MEZ"), 60},
    {SLICE_INIT("MESZ"), 120},	    {SLICE_INIT("MET"), 60},	    {SLICE_INIT("MEST"), 120},
    {SLICE_INIT("WET"), 0},	    {SLICE_INIT("WEST"), 60},	    {SLICE_INIT("EET"), 120},
    {SLICE_INIT("EEST"), 180},	    {SLICE_INIT("MSK"), 180},	    {SLICE_INIT("JST"), 540},
    {SLICE_INIT("KST"), 540},	    {SLICE_INIT("EST"), -300},	    {SLICE_INIT("EDT"), -240},
    {SLICE_INIT("CDT"), -300},	    {SLICE_INIT("MST"), -420},	    {SLICE_INIT("MDT"), -360},
    {SLICE_INIT("PST"), -480},	    {SLICE_INIT("PDT"), -420},	    {SLICE_INIT("AKST"), -540},
    {SLICE_INIT("AKDT"), -480},	    {SLICE_INIT("HST"), -600},	    {SLICE_INIT("AEST"), 600},
    {SLICE_INIT("AEDT"), 660},	    {SLICE_INIT("NZST"), 720},	    {SLICE_INIT("NZDT"), 780},
    {SLICE_INIT("SAST"), 120},	    {SLICE_INIT("SGT"), 480},	    {SLICE_INIT("HKT"), 480},
    {SLICE_INIT("IST"), AMBIGUOUS}, {SLICE_INIT("BST"), AMBIGUOUS}, {SLICE_INIT("CST"), AMBIGUOUS},
};

bool
zone_word(struct slice word, bool *known, int *minutes)
{
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (!slice_eq(zones[i].name, word))
			continue;
		*known = zones[i].minutes != AMBIGUOUS;
		*minutes = *known ? zones[i].minutes : 0;
		return true;
	}
	return false;
}

static int64_t
offset_now(int64_t local_seconds)
{
	time_t shown = (time_t)local_seconds;
	struct tm tm;
	time_t utc;

	if (gmtime_r(&shown, &tm) == NULL)
		return 0;
	tm.tm_isdst = -1;
	utc = mktime(&tm);
	/* -1 is an answer too, one that costs an error of one second in 1969. */
	return utc == (time_t)-1 ? 0 : local_seconds - (int64_t)utc;
}

static int64_t
offset_at(int64_t seconds)
{
	time_t utc = (time_t)seconds;
	struct tm tm;

	return localtime_r(&utc, &tm) != NULL ? tm.tm_gmtoff : 0;
}

/*
 * The last answer: the C library takes a lock for each, and lines of one
 * second come by the thousand.
 */
struct remembered {
	bool filled;
	int64_t quarter, offset;
};

static int64_t
remember(struct remembered *last, int64_t seconds, int64_t (*ask)(int64_t))
{
	int64_t quarter = seconds / QUARTER_SECONDS - (seconds % QUARTER_SECONDS < 0);

	if (!last->filled || last->quarter != quarter)
		*last = (struct remembered){true, quarter, ask(seconds)};
	return last->offset;
}

int64_t
zone_local_offset(int64_t local_seconds)
{
	static _Thread_local struct remembered last;

	return remember(&last, local_seconds, offset_now);
}

int64_t
zone_offset_at(int64_t seconds)
{
	static _Thread_local struct remembered last;

	return remember(&last, seconds, offset_at);
}
