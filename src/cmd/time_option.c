/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/time_option.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/chars.h"
#include "config/scalar.h"

#define SECOND UINT64_C(1000000000)
#define KEY    "\"utc_time\":\""

/* Decimals of a second as ns. */
static uint64_t parse_fraction(const char **at)
{
	uint64_t ns = 0, unit = SECOND / 10;

	if (**at != '.')
		return 0;
	for (++*at; chars_is_digit(**at); ++*at, unit /= 10)
		ns += unit * (uint64_t)(**at - '0');
	return ns;
}

/* Dates that no calendar has are normalised by the C library, so they are compared with what came out. */
static int convert(struct tm *tm, bool utc, uint64_t fraction, uint64_t *ret)
{
	const struct tm given = *tm;
	time_t seconds = utc ? timegm(tm) : mktime(tm);

	if (seconds < 0 || tm->tm_mday != given.tm_mday || tm->tm_mon != given.tm_mon ||
	    tm->tm_min != given.tm_min)
		return -EINVAL;
	*ret = (uint64_t)seconds * SECOND + fraction;
	return 0;
}

/* Takes the text off, if it begins with the word. */
static bool take_word(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

/* As the calendar on the wall here has it. Noon is there on every day. */
static void set_day(struct tm *tm, uint64_t now, int days_ago)
{
	time_t seconds = (time_t)(now / SECOND);
	struct tm day;

	localtime_r(&seconds, &day);
	day.tm_mday -= days_ago;
	day.tm_hour = 12;
	mktime(&day);
	tm->tm_year = day.tm_year;
	tm->tm_mon = day.tm_mon;
	tm->tm_mday = day.tm_mday;
}

/* True: a time of day may follow, after a separator. */
static bool parse_day(const char **at, uint64_t now, struct tm *tm)
{
	int len = 0;

	if (take_word(at, "today"))
		set_day(tm, now, 0);
	else if (take_word(at, "yesterday"))
		set_day(tm, now, 1);
	else if (sscanf(*at, "%4d-%2d-%2d%n", &tm->tm_year, &tm->tm_mon, &tm->tm_mday, &len) == 3)
		tm->tm_year -= 1900, tm->tm_mon -= 1;
	else
		return false;
	*at += len;
	return true;
}

static int parse_calendar(const char *text, uint64_t now, uint64_t *ret)
{
	struct tm tm = {.tm_isdst = -1};
	uint64_t fraction = 0;
	char separator = ' ';
	int minutes = 0, seconds = 0;

	bool has_day = parse_day(&text, now, &tm), has_time = !has_day;
	if (!has_day)
		set_day(&tm, now, 0);
	else if (*text == ' ' || *text == 'T')
		separator = *text++, has_time = true;
	if (has_time) {
		if (sscanf(text, "%2d:%2d%n:%2d%n", &tm.tm_hour, &tm.tm_min, &minutes, &tm.tm_sec, &seconds) <
		    2)
			return -EINVAL;
		text += seconds ? seconds : minutes;
		fraction = parse_fraction(&text);
	}
	bool utc = *text == 'Z' && separator == 'T';
	return text[utc] ? -EINVAL : convert(&tm, utc, fraction, ret);
}

/* "1h 30m", "-1h 30m", "1h 30m ago" */
static int parse_ago(const char *text, uint64_t now, uint64_t *ret)
{
	struct str duration = str_of(text + (*text == '-'));
	uint64_t ago;

	if (str_ends_with(duration, STR(" ago")))
		duration.len -= sizeof(" ago") - 1;
	if (scalar_parse_duration(duration, &ago) < 0)
		return -EINVAL;
	*ret = ago < now ? now - ago : 0;
	return 0;
}

int time_option_parse(const char *text, uint64_t now, uint64_t *ret)
{
	if (parse_ago(text, now, ret) == 0)
		return 0;
	if (strcmp(text, "now") != 0)
		return parse_calendar(text, now, ret);
	*ret = now;
	return 0;
}

/* Quotes within values are escaped, so the key cannot be imitated; it stands near the end. */
uint64_t time_of_line(struct str line)
{
	enum { KEY_LEN = sizeof(KEY) - 1, TIME_MAX = 40 };
	char text[TIME_MAX];
	uint64_t ns;

	for (uint32_t i = line.len > KEY_LEN ? line.len - KEY_LEN : 0; i > 0; i--) {
		if (line.p[i] != '"' || memcmp(line.p + i, KEY, KEY_LEN) != 0)
			continue;
		const char *value = line.p + i + KEY_LEN;
		uint32_t left = line.len - i - KEY_LEN;
		const char *end = memchr(value, '"', left);
		if (!end || end - value >= TIME_MAX)
			return 0;
		memcpy(text, value, (size_t)(end - value));
		text[end - value] = '\0';
		return parse_calendar(text, 0, &ns) == 0 ? ns : 0;
	}
	return 0;
}
