/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What libmagic says of bytes, as events print it. */
#include "enrich/file_magic.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static struct file_magic *m;
static char text[FILE_MAGIC_TEXT_SIZE];

static void test_kinds(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *begins;
	} rows[] = {
		{"x", 1, "ASCII text"},
		{"\n", 1, "ASCII text"},
		{"\x80", 1, "data"},
		{"\1\2\3\4\5\6", 6, "data"},
		{"hello\nworld\n", 12, "ASCII text"},
		{"{\"a\": [1, 2]}\n", 14, "JSON"},
		{"a,b,c\n1,2,3\n4,5,6\n", 18, "CSV"},
		{"#!/bin/sh\ntrue\n", 15, "POSIX shell script, ASCII text executable"},
		{"h\xc3\xa9llo\n", 7, "Unicode text, UTF-8 text"},
		{"h\xe9llo\n", 6, "ISO-8859 text"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, ""}, /* OLE 2 without insides must not crash */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int ret = file_magic_describe(m, rows[i].bytes, rows[i].len, 0644, -1, text);
		ok(ret == 0 && !strncmp(text, rows[i].begins, strlen(rows[i].begins)), "magic %zu: %s", i,
		   text);
	}
}

static void test_archives(void)
{
	static char tar[1024] = "name";
	memcpy(tar + 257, "ustar  ", 8);
	unsigned sum = 8 * ' ';
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)tar[i];
	sprintf(tar + 148, "%06o", sum);
	tar[155] = ' ';
	file_magic_describe(m, tar, sizeof(tar), 0644, -1, text);
	ok(!strncmp(text, "POSIX tar archive", 17), "magic of tar: %s", text);

	/* The rule for gzip prints the file's own name of the original. */
	static const char gzip[] =
		"\x1f\x8b\x08\x08\0\0\0\0\0\3evil\x1b[31m\xff\xfe\nname\0\3\0\0\0\0\0\0\0\0\0";
	file_magic_describe(m, gzip, sizeof(gzip), 0644, -1, text);
	bool printable = true;
	for (const char *p = text; *p; p++)
		printable &= *p >= 0x20 && *p < 0x7f;
	ok(printable && strstr(text, "\\033[31m\\377"), "bytes of the file are escaped: %s", text);
}

/* Headers that promise more than there is. */
static void test_broken_programs(void)
{
	static unsigned char elf[64] = "\x7f"
				       "ELF\2\1\1";
	elf[16] = 3;
	elf[18] = 62;
	elf[20] = 1;
	memset(elf + 32, 0xff, 8);
	elf[56] = elf[57] = 0xff;
	int null = open("/dev/null", O_RDONLY);
	file_magic_describe(m, elf, sizeof(elf), 0644, null, text);
	is_str(text, "ELF 64-bit LSB shared object, x86-64, version 1 (SYSV)",
	       "a broken ELF file, not executable");
	file_magic_describe(m, elf, sizeof(elf), 0755, null, text);
	is_str(text, "ELF 64-bit LSB pie executable, x86-64, version 1 (SYSV)",
	       "a broken ELF file, executable");
	close(null);
}

int main(void)
{
	m = file_magic_new();
	test_kinds();
	test_archives();
	test_broken_programs();
	file_magic_free(m);
	return done_testing();
}
