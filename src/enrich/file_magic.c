/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE
#include "enrich/file_magic.h"

#include <elf.h>
#include <errno.h>
#include <magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/embedded.h"

/*
 * What Kunai does not do either: no sections of ELF, no insides of OLE 2 and compressed files. RAW, because what
 * libmagic takes for printable depends on the locale.
 */
#define DESCRIBE_FLAGS                                                                   \
	(MAGIC_RAW | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_COMPRESS | \
	 MAGIC_NO_CHECK_APPTYPE)

enum {
	DYNAMIC_ENTRIES_MAX = 512, /* entries of an ELF file's dynamic section that are looked at */
	PROGRAM_HEADERS_MAX = 128,
};

struct file_magic {
	magic_t magic;
	int load_error; /* not tried again */
};

struct file_magic *file_magic_new(void)
{
	return calloc(1, sizeof(struct file_magic));
}

void file_magic_free(struct file_magic *m)
{
	if (m && m->magic)
		magic_close(m->magic);
	free(m);
}

#ifdef KUNAI_EMBEDDED_MAGIC

EMBEDDED(magic_database);

/* Not packed: libmagic reads it in place, and pages of a file are not the sensor's own memory. */
static int load_database(magic_t magic)
{
	void *database = (void *)magic_database_start;
	size_t size = (size_t)(magic_database_end - magic_database_start);

	return magic_load_buffers(magic, &database, &size, 1);
}

/* What the module `magic` of YARA calls, which would look for a file of the host: see meson.build. */
int __wrap_magic_load(magic_t magic, const char *path);
int __wrap_magic_load(magic_t magic, const char *path)
{
	(void)path;
	return load_database(magic);
}

#else

/* Not libmagic's own choice: that follows $MAGIC and $HOME. */
static int load_database(magic_t magic)
{
	static const char *const paths[] = {
		"/usr/share/misc/magic.mgc",
		"/usr/lib/file/magic.mgc",
		"/usr/share/file/magic.mgc",
		"/usr/share/file/misc/magic.mgc",
	};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (access(paths[i], R_OK) == 0 && magic_load(magic, paths[i]) == 0)
			return 0;
	}
	return -1;
}

#endif

static int load(struct file_magic *m)
{
	if (m->magic || m->load_error)
		return m->load_error;

	m->magic = magic_open(DESCRIBE_FLAGS);
	if (m->magic && load_database(m->magic) == 0)
		return 0;
	if (m->magic)
		magic_close(m->magic);
	m->magic = NULL;
	m->load_error = -ENOENT;
	return m->load_error;
}

static void print_escaped(const char *text, char ret_text[FILE_MAGIC_TEXT_SIZE])
{
	size_t n = 0;
	for (; *text && n + 5 <= FILE_MAGIC_TEXT_SIZE; text++) {
		unsigned char c = (unsigned char)*text;
		if (c >= 0x20 && c < 0x7f)
			ret_text[n++] = (char)c;
		else
			n += (size_t)sprintf(ret_text + n, "\\%03o", c);
	}
	ret_text[n] = '\0';
}

/* libmagic's words for files too short for its rules are not those of other implementations. */
static const char *describe_short(const unsigned char *bytes, size_t len)
{
	if (len == 0)
		return "empty data";
	if (len > 1)
		return NULL;
	if (bytes[0] == '\n')
		return "ASCII text";
	return bytes[0] >= 0x20 && bytes[0] < 0x7f ? "ASCII text, with no line terminators" : "data";
}

/* 64-bit and 32-bit ELF of this machine's byte order in one shape; others follow the mode alone. */
struct segment {
	uint64_t offset;
	uint64_t size;
};

static bool find_dynamic(const unsigned char *bytes, size_t len, bool elf64, struct segment *ret_segment)
{
	Elf64_Ehdr eh64;
	Elf32_Ehdr eh32;
	if (len < sizeof(eh64))
		return false;
	memcpy(&eh64, bytes, sizeof(eh64));
	memcpy(&eh32, bytes, sizeof(eh32));
	uint64_t offset = elf64 ? eh64.e_phoff : eh32.e_phoff;
	uint32_t count = elf64 ? eh64.e_phnum : eh32.e_phnum;
	size_t size = elf64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	for (uint32_t i = 0; i < count && i < PROGRAM_HEADERS_MAX; i++, offset += size) {
		Elf64_Phdr ph64;
		Elf32_Phdr ph32;
		if (offset > len || len - offset < size)
			return false;
		if (elf64)
			memcpy(&ph64, bytes + offset, sizeof(ph64));
		else
			memcpy(&ph32, bytes + offset, sizeof(ph32));
		if ((elf64 ? ph64.p_type : ph32.p_type) != PT_DYNAMIC)
			continue;
		ret_segment->offset = elf64 ? ph64.p_offset : ph32.p_offset;
		ret_segment->size = elf64 ? ph64.p_filesz : ph32.p_filesz;
		return true;
	}
	return false;
}

/* 1 or 0 when the linker said whether this is a program, -1 when it did not. */
static int read_pie_flag(int fd, const struct segment *dynamic, bool elf64)
{
	Elf64_Dyn entries[DYNAMIC_ENTRIES_MAX];
	size_t size = dynamic->size < sizeof(entries) ? (size_t)dynamic->size : sizeof(entries);
	ssize_t got = pread(fd, entries, size, (off_t)dynamic->offset);
	if (got <= 0)
		return -1;

	const Elf32_Dyn *entries32 = (const Elf32_Dyn *)entries;
	size_t count = (size_t)got / (elf64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn));
	for (size_t i = 0; i < count; i++) {
		int64_t tag = elf64 ? entries[i].d_tag : entries32[i].d_tag;
		uint64_t value = elf64 ? entries[i].d_un.d_val : entries32[i].d_un.d_val;
		if (tag == DT_FLAGS_1)
			return (value & DF_1_PIE) != 0;
		if (tag == DT_NULL)
			break;
	}
	return -1;
}

/*
 * A position-independent program and a shared library have the same ELF type. As file(1): DF_1_PIE decides, and where
 * the linker left no flags the execute bits.
 */
static bool is_pie(const unsigned char *bytes, size_t len, uint32_t mode, int fd)
{
	const unsigned char native = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	struct segment dynamic;
	int flag = -1;

	if (fd >= 0 && len > EI_DATA && bytes[EI_DATA] == native) {
		bool elf64 = bytes[EI_CLASS] == ELFCLASS64;
		if (find_dynamic(bytes, len, elf64, &dynamic))
			flag = read_pie_flag(fd, &dynamic, elf64);
	}
	return flag < 0 ? (mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0 : flag == 1;
}

/* libmagic does not know a buffer's mode and takes every such file for a library. */
static void correct_elf(const unsigned char *bytes, size_t len, uint32_t mode, int fd,
			char text[FILE_MAGIC_TEXT_SIZE])
{
	static const char library[] = "shared object", program[] = "pie executable";
	char *at = strncmp(text, "ELF ", 4) == 0 ? strstr(text, library) : NULL;
	if (!at || !is_pie(bytes, len, mode, fd))
		return;

	char rest[FILE_MAGIC_TEXT_SIZE];
	strcpy(rest, at + strlen(library));
	snprintf(at, (size_t)(text + FILE_MAGIC_TEXT_SIZE - at), "%s%s", program, rest);
}

int file_magic_describe(struct file_magic *m, const void *bytes, size_t len, uint32_t mode, int fd,
			char ret_text[FILE_MAGIC_TEXT_SIZE])
{
	strcpy(ret_text, "?");
	if (len > FILE_MAGIC_BYTES_MAX)
		len = FILE_MAGIC_BYTES_MAX;

	const char *text = describe_short(bytes, len);
	int ret = text ? 0 : load(m);
	if (ret < 0)
		return ret;
	if (!text)
		text = magic_buffer(m->magic, bytes, len);
	if (!text)
		return -EIO;
	print_escaped(text, ret_text);
	correct_elf(bytes, len, mode, fd, ret_text);
	return 0;
}
