/* test_s3_list.c - pages as servers write them, pages cut anywhere, and pages that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/s3_list.h"
#include "connectors/s3_version.h"

#include <stdlib.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define TAIL "</ListBucketResult>"
#define OBJECT(key, size) "<Contents><Key>" key "</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>" \
	"<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>" size "</Size><StorageClass>STANDARD</StorageClass></Contents>"

/* Reads text in pieces of n bytes. */
static int read_page(struct s3_list *l, struct slice text, size_t n, struct err *err)
{
	s3_list_reset(l);
	for (size_t i = 0; i < text.len; i += n) {
		if (s3_list_add(l, (struct slice){ text.p + i, text.len - i < n ? text.len - i : n }, err) < 0)
			return -1;
	}
	return s3_list_end(l, err);
}

static int setup(void **state)
{
	struct s3_list *l = malloc(sizeof(*l));
	s3_list_init(l);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	s3_list_done(*state);
	free(*state);
	return 0;
}

static void assert_key(const struct s3_list *l, size_t i, const char *key)
{
	struct slice got = s3_list_key(l, i);
	assert_int_equal(got.len, strlen(key));
	assert_memory_equal(got.p, key, got.len);
}

/* AWS's documented answer, with an owner, a common prefix and a token. */
static void test_documented_page(void **state)
{
	static const char page[] = HEAD "<Name>bucket</Name><Prefix/><KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys>"
		"<IsTruncated>true</IsTruncated><NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>"
		OBJECT("my-image.jpg", "434234")
		"<Contents><Key>b</Key><LastModified>2009-10-12T17:50:30Z</LastModified><ETag>\"x-3\"</ETag><Size>0</Size><Owner>"
		"<ID>75aa</ID><DisplayName>m &amp; n</DisplayName></Owner></Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>" TAIL;
	struct s3_list *l = *state;
	struct err err = { 0 };
	for (size_t n = 1; n < sizeof(page); n += 7) {
		assert_int_equal(read_page(l, SLICE_LIT(page), n, &err), 0);
		assert_int_equal(l->count, 2);
		assert_key(l, 0, "my-image.jpg");
		assert_int_equal(l->keys[0].bytes, 434234);
		assert_int_equal(l->keys[0].modified_s, 1255369830);
		assert_int_equal(l->keys[1].modified_s, 1255369830);
		assert_true(slice_eq(s3_list_etag(l, 0), SLICE_LIT("\"fba9dede5f27731c9771645a39863328\"")));
		assert_true(slice_eq(s3_list_etag(l, 1), SLICE_LIT("\"x-3\"")));
		assert_true(l->truncated);
		assert_true(slice_eq(buf_slice(&l->next), SLICE_LIT("1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=")));
	}
}

/* A page that is cut at any byte is an error, never a shorter page. */
static void test_cut_anywhere_is_an_error(void **state)
{
	static const char page[] = HEAD OBJECT("a", "1") OBJECT("b&amp;c", "2") "<IsTruncated>false</IsTruncated>" TAIL;
	struct err err = { 0 };
	for (size_t n = 0; n < sizeof(page) - 1; n++) {
		assert_int_equal(read_page(*state, (struct slice){ page, n }, 64, &err), -1);
		assert_int_equal(err.class, ERR_RETRY);
	}
	assert_int_equal(read_page(*state, SLICE_LIT(page), 64, &err), 0);
}

static void test_url_encoding_only_if_the_page_says_so(void **state)
{
	struct s3_list *l = *state;
	struct err err = { 0 };
	assert_int_equal(read_page(l, SLICE_LIT(HEAD OBJECT("a%20b+c%2Bd%01", "1") "<EncodingType>url</EncodingType>" TAIL), 9, &err), 0);
	assert_key(l, 0, "a b c+d\x01");
	assert_int_equal(read_page(l, SLICE_LIT(HEAD OBJECT("a%20b+c%2Bd", "1") TAIL), 9, &err), 0);
	assert_key(l, 0, "a%20b+c%2Bd");
	assert_int_equal(read_page(l, SLICE_LIT(HEAD OBJECT("a%2", "1") "<EncodingType>url</EncodingType>" TAIL), 9, &err), -1);
	assert_int_equal(read_page(l, SLICE_LIT(HEAD OBJECT("a%zz", "1") "<EncodingType>url</EncodingType>" TAIL), 9, &err), -1);
}

static void test_references_and_control_characters(void **state)
{
	struct s3_list *l = *state;
	struct err err = { 0 };
	assert_int_equal(read_page(l, SLICE_LIT(HEAD OBJECT("&lt;&gt;&amp;&quot;&apos;&#1;&#x7f;&#xFC;&#x20AC;&#128512;\x02", "1")
		OBJECT("<![CDATA[<a>]]]>&#13;<!-- -- --><?pi ?" "?>", "1") TAIL), 5, &err), 0);
	assert_key(l, 0, "<>&\"'\x01\x7f\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\x02");
	assert_key(l, 1, "<a>]\r");
	assert_int_equal(read_page(l, SLICE_LIT(HEAD OBJECT("&nbsp;", "1") TAIL), 99, &err), -1);
	assert_int_equal(read_page(l, SLICE_LIT(HEAD OBJECT("&#xD800;", "1") TAIL), 99, &err), -1);
	assert_int_equal(read_page(l, SLICE_LIT(HEAD OBJECT("&#x110000;", "1") TAIL), 99, &err), -1);
}

/* 1,024 bytes are 3,072 when every one is encoded. */
static void test_longest_key_survives(void **state)
{
	struct s3_list *l = *state;
	struct buf page = { 0 };
	struct err err = { 0 };
	buf_str(&page, HEAD "<Contents><Key>");
	for (int i = 0; i < 341; i++)
		buf_str(&page, "%E2%82%AC");
	buf_str(&page, "%41</Key><Size>18446744073709551615</Size></Contents><EncodingType>url</EncodingType>" TAIL);
	assert_int_equal(read_page(l, buf_slice(&page), 100, &err), 0);
	assert_int_equal(s3_list_key(l, 0).len, 1024);
	assert_true(l->keys[0].bytes == UINT64_MAX);
	buf_done(&page);
}

static void test_empty_truncated_page_is_legal(void **state)
{
	struct s3_list *l = *state;
	struct err err = { 0 };
	assert_int_equal(read_page(l, SLICE_LIT(HEAD "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" TAIL),
		4, &err), 0);
	assert_int_equal(l->count, 0);
	assert_true(l->truncated);
}

static void test_storage_classes(void **state)
{
#define CLASS(key, class, more) "<Contents><Key>" key "</Key><Size>1</Size><StorageClass>" class "</StorageClass>" more "</Contents>"
	static const char page[] = HEAD CLASS("a", "GLACIER", "") CLASS("b", "DEEP_ARCHIVE", "") CLASS("c", "GLACIER_IR", "")
		CLASS("d", "GLACIER", "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>")
		CLASS("e", "GLACIER", "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
			"<RestoreExpiryDate>2030-01-01T00:00:00Z</RestoreExpiryDate></RestoreStatus>")
		CLASS("f", "STANDARD", "") TAIL;
	static const bool archived[] = { true, true, false, true, false, false };
	struct s3_list *l = *state;
	struct err err = { 0 };
	assert_int_equal(read_page(l, SLICE_LIT(page), 50, &err), 0);
	assert_int_equal(l->count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(l->keys[i].archived, archived[i]);
}

static void test_what_is_no_listing(void **state)
{
	static const char *const pages[] = {
		"", " ", "OK", "{}", "<html><body>Log in</body></html>", "<!DOCTYPE html><html></html>",
		"<!DOCTYPE x [<!ENTITY a \"b\">]>" HEAD TAIL,
		"<Error><Code>InternalError</Code></Error>", HEAD TAIL "<Error/>", HEAD TAIL "x", HEAD "<Contents></Contents>" TAIL,
		HEAD "<Contents><Key>a</Key></Contents>" TAIL, HEAD "<Contents><Size>1</Size></Contents>" TAIL,
		HEAD OBJECT("a", "-1") TAIL, HEAD OBJECT("a", "18446744073709551616") TAIL, HEAD OBJECT("a", "") TAIL,
		HEAD "<Contents><Key>a</Contents></Key>" TAIL, HEAD "<a><b><c><d><e><f><g><h>", HEAD "<Key <b>>", "</ListBucketResult>",
		"<ListBucketResults></ListBucketResults>",
	};
	struct err err;
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		err = (struct err){ 0 };
		if (read_page(*state, slice_of(pages[i]), 3, &err) == 0)
			fail_msg("believed: %s", pages[i]);
		assert_int_equal(err.class, ERR_RETRY);
	}
}

static void test_bounds(void **state)
{
	struct s3_list *l = *state;
	struct buf page = { 0 };
	struct err err = { 0 };
	buf_str(&page, HEAD "<Contents><Key>");
	for (size_t i = 0; i <= S3_XML_TEXT_MAX; i++)
		buf_char(&page, 'k');
	assert_int_equal(read_page(l, buf_slice(&page), 1000, &err), -1);
	page.len = 0;
	buf_str(&page, HEAD);
	for (int i = 0; i <= S3_LIST_KEYS_MAX; i++)
		buf_str(&page, OBJECT("a", "1"));
	assert_int_equal(read_page(l, buf_slice(&page), 1 << 16, &err), -1);
	page.len = 0;
	buf_str(&page, "<");
	for (size_t i = 0; i <= S3_XML_NAME_MAX; i++)
		buf_char(&page, 'n');
	assert_int_equal(read_page(l, buf_slice(&page), 1000, &err), -1);
	page.len = 0;
	for (size_t i = 0; i <= S3_XML_MAX; i++)
		buf_char(&page, ' ');
	assert_int_equal(read_page(l, buf_slice(&page), 1 << 16, &err), -1);
	buf_done(&page);
}

static void test_version_token(void **state)
{
	struct buf token = { 0 };
	(void)state;
	s3_version(&token, SLICE_LIT("\"abc-3\""), 5, 77);
	assert_string_equal(token.data, "abc-3:77");
	assert_true(slice_eq(s3_etag(buf_slice(&token)), SLICE_LIT("abc-3")));
	token.len = 0;
	s3_version(&token, SLICE_LIT("abc:d"), 5, 0);
	assert_true(slice_eq(s3_etag(buf_slice(&token)), SLICE_LIT("abc:d")));
	token.len = 0;
	s3_version(&token, SLICE_LIT("\"\""), 1255369830, 9);
	assert_string_equal(token.data, "@1255369830:9");
	assert_int_equal(s3_etag(buf_slice(&token)).len, 0);
	buf_done(&token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_documented_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_anywhere_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_url_encoding_only_if_the_page_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(test_references_and_control_characters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest_key_survives, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_truncated_page_is_legal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_storage_classes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_no_listing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test(test_version_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
