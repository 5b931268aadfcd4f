/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/token.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/digests.h"

int token_new(char ret_secret[TOKEN_TEXT], char ret_sha256[TOKEN_SHA256_TEXT])
{
	unsigned char bytes[TOKEN_BYTES];
	struct digests digests;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret_secret + 2 * i, 3, "%02x", bytes[i]);
	digests_of_bytes(ret_secret, TOKEN_TEXT - 1, &digests);
	memcpy(ret_sha256, digests.sha256, TOKEN_SHA256_TEXT);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return 0;
}

bool token_opens(struct str secret, const char *sha256)
{
	char wanted[TOKEN_SHA256_TEXT] = "";
	struct digests digests;

	if (!token_is_sha256(str_of(sha256)))
		return false;
	for (size_t i = 0; i < TOKEN_SHA256_TEXT - 1; i++)
		wanted[i] = (char)tolower((unsigned char)sha256[i]);
	digests_of_bytes(secret.p, secret.len, &digests);
	return CRYPTO_memcmp(digests.sha256, wanted, TOKEN_SHA256_TEXT - 1) == 0;
}

bool token_is_sha256(struct str text)
{
	uint32_t n = 0;

	while (n < text.len && isxdigit((unsigned char)text.p[n]))
		n++;
	return n == text.len && n == TOKEN_SHA256_TEXT - 1;
}
