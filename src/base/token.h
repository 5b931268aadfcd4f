/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets of which only the SHA-256 is kept. */
#ifndef KUNAI_BASE_TOKEN_H
#define KUNAI_BASE_TOKEN_H

#include "base/str.h"

enum {
	TOKEN_BYTES = 32, /* of randomness: a guess is hopeless, and a slow hash is not needed */
	TOKEN_TEXT = 2 * TOKEN_BYTES + 1,    /* in hexadecimal, with the final NUL */
	TOKEN_SHA256_TEXT = 2 * 256 / 8 + 1, /* the same */
};

/* Both in lower-case hexadecimal; the hash is of the secret's text. Returns 0 or -errno. */
int token_new(char ret_secret[TOKEN_TEXT], char ret_sha256[TOKEN_SHA256_TEXT]);

/* Whether the secret has that hash, given in hexadecimal of either case. Takes as long whatever the secret is. */
bool token_opens(struct str secret, const char *sha256);

/* 64 hexadecimal digits. */
bool token_is_sha256(struct str text);

#endif
