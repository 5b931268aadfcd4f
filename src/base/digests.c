/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/digests.h"

#include <openssl/evp.h>
#include <string.h>

static void digest_of_bytes(const char *algorithm, const void *bytes, size_t len, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t n = 0;

	strcpy(ret_text, "?");
	/* not the caller's policy for signatures: these only name what was loaded */
	if (EVP_Q_digest(NULL, algorithm, "-fips", bytes, len, digest, &n) != 1)
		return;
	for (size_t i = 0; i < n; i++) {
		*ret_text++ = digits[digest[i] >> 4];
		*ret_text++ = digits[digest[i] & 15];
	}
	*ret_text = '\0';
}

void digests_of_bytes(const void *bytes, size_t len, struct digests *ret)
{
	digest_of_bytes("MD5", bytes, len, ret->md5);
	digest_of_bytes("SHA1", bytes, len, ret->sha1);
	digest_of_bytes("SHA2-256", bytes, len, ret->sha256);
	digest_of_bytes("SHA2-512", bytes, len, ret->sha512);
}

void digests_prepare(void)
{
	struct digests unused;

	digests_of_bytes("", 0, &unused);
}

void digests_unknown(struct digests *ret)
{
	*ret = (struct digests){"?", "?", "?", "?"};
}
