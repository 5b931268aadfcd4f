/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kind of file some bytes are, in words. A file_magic owns its database and serves one thread. */
#ifndef KUNAI_ENRICH_FILE_MAGIC_H
#define KUNAI_ENRICH_FILE_MAGIC_H

#include <stddef.h>
#include <stdint.h>

enum {
	FILE_MAGIC_TEXT_SIZE = 256, /* with NUL; longer texts are cut */
	/*
	 * Bytes of a file that are looked at. Binary formats need 33 KiB (ISO 9660), JSON the whole file; time hardly
	 * depends on it, because the rules bound their own searches.
	 */
	FILE_MAGIC_BYTES_MAX = 256 * 1024,
};

struct file_magic;

/* Costs nothing until the first description, which loads the database. NULL with errno when memory is short. */
struct file_magic *file_magic_new(void);
void file_magic_free(struct file_magic *m);

/*
 * Describes a file that begins with these bytes. mode is its st_mode and fd a descriptor to read from at an offset
 * (or -1): both only tell programs from shared libraries. Writes printable ASCII, other bytes as \ooo. 0, or -ENOENT
 * without database, -EIO when libmagic fails; ret_text is "?" then.
 */
int file_magic_describe(struct file_magic *m, const void *bytes, size_t len, uint32_t mode, int fd,
			char ret_text[FILE_MAGIC_TEXT_SIZE]);

#endif
