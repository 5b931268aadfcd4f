/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/token.h"
#include "tap.h"

/* printf %s abc | sha256sum */
#define SHA256_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void check_new(void)
{
	char secret[TOKEN_TEXT], sha256[TOKEN_SHA256_TEXT], other[TOKEN_TEXT],
		other_sha256[TOKEN_SHA256_TEXT];

	ok(token_new(secret, sha256) == 0 && token_new(other, other_sha256) == 0, "two secrets are made");
	ok(strlen(secret) == TOKEN_TEXT - 1 && strcmp(secret, other) != 0, "they differ");
	ok(token_is_sha256(str_of(sha256)), "the hash is one");
	ok(token_opens(str_of(secret), sha256), "a secret opens its hash");
	ok(!token_opens(str_of(other), sha256), "another one does not");
	secret[TOKEN_TEXT - 2] ^= 1;
	ok(!token_opens(str_of(secret), sha256), "nor does it with one bit changed");
}

static void check_known(void)
{
	ok(token_opens(STR("abc"), SHA256_OF_ABC), "a known hash");
	ok(token_opens(STR("abc"), "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
	   "in capitals, too");
	ok(!token_opens(STR("abc\n"), SHA256_OF_ABC), "the line's end is not part of the secret");
	ok(!token_opens(STR(""), SHA256_OF_ABC), "nothing opens nothing");
	ok(!token_opens(STR("?"), "?"), "what is no hash is opened by nothing");
	ok(!token_opens(STR(""), ""), "nor is an empty one");
}

static void check_form(void)
{
	ok(!token_is_sha256(STR("")), "an empty text is no hash");
	ok(!token_is_sha256(STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a")),
	   "63 digits");
	ok(!token_is_sha256(STR(SHA256_OF_ABC "0")), "65 digits");
	ok(!token_is_sha256(STR("ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")), "a g");
}

int main(void)
{
	check_new();
	check_known();
	check_form();
	return done_testing();
}
