/* test_tables.c - plain CSV, Clarifai's CSV and lists of URLs: what becomes of their cells. */
#include "tests/unit/manifest/fixture.h"

static void expect_as(const char *text, enum manifest_format format, enum manifest_input input,
	const struct manifest_columns *columns, const char *expected)
{
	struct manifest_options o = { .format = format, .input = input, .columns = columns, .spool = -1 };
	expect_rows_of(slice_of(text), &o, expected);
}

static void test_usual_names(void **state)
{
	(void)state;
	EXPECT("Image URL,Label,Confidence,Split,note\nhttps://h/a.jpg,cat,0.5,Validation,hi\n",
		"{\"url\":\"https://h/a.jpg\",\"split\":\"val\",\"metadata\":{\"note\":\"hi\"},"
		"\"labels\":[{\"concept\":\"cat\",\"confidence\":0.5}]}\n");
	EXPECT("id;url;labels\n1;s3://b/k;[\"a\", {\"name\":\"b\",\"score\":0.25}, 3]\n2;gs://b/k;x, y ,z\n3;/p;x|y,z\n",
		"{\"id\":\"1\",\"s3\":\"s3://b/k\",\"labels\":[{\"concept\":\"a\"},{\"concept\":\"b\",\"confidence\":0.25},"
		"{\"concept\":\"3\"}]}\n"
		"{\"id\":\"2\",\"gs\":\"gs://b/k\",\"labels\":[{\"concept\":\"x\"},{\"concept\":\"y\"},{\"concept\":\"z\"}]}\n"
		"{\"id\":\"3\",\"path\":\"/p\",\"labels\":[{\"concept\":\"x\"},{\"concept\":\"y,z\"}]}\n");
	EXPECT("text\tlabel\tstatus\tannotator\n so \"quoted\" \tpos\tpending\tanna\n",
		"{\"text\":\" so \\\"quoted\\\" \",\"labels\":[{\"concept\":\"pos\",\"status\":\"ANNOTATION_AWAITING_REVIEW\","
		"\"worker\":\"anna\"}]}\n");
	/* a text beside a URL describes it */
	EXPECT("text,image_url,sha256,file_size,mime_type\nA cat,http://h/1,"
	       "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD,12,image/png\n",
		"{\"url\":\"http://h/1\",\"media\":\"image\",\"size\":12,"
		"\"checksum\":\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\","
		"\"metadata\":{\"text\":\"A cat\"}}\n");
}

static void test_boxes_keep_their_numbers(void **state)
{
	(void)state;
	EXPECT("filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,640,480,dog,1,2,30.50,40\na.jpg,640,480,cat,0,0,1,1\n"
	       "a.jpg,640,480,dog,.1,0.20,1,1\na.jpg,640,480,dog,1,2,x,4\na.jpg,640,480,,1,2,3,4\na.jpg,640,480,dog,,,,\n",
		"{\"path\":\"a.jpg\",\"width\":640,\"height\":480,\"labels\":[{\"concept\":\"dog\",\"geometry\":{\"kind\":\"box\","
		"\"unit\":\"px\",\"size\":[640,480],\"form\":\"xyxy\",\"box\":[1,2,30.50,40]}}]}\n"
		"{\"path\":\"a.jpg\",\"width\":640,\"height\":480,\"labels\":[{\"concept\":\"cat\",\"geometry\":{\"kind\":\"box\","
		"\"unit\":\"px\",\"size\":[640,480],\"form\":\"xyxy\",\"box\":[0,0,1,1]}}]}\n"
		"{\"path\":\"a.jpg\",\"width\":640,\"height\":480,\"labels\":[{\"concept\":\"dog\",\"geometry\":{\"kind\":\"box\","
		"\"unit\":\"fraction\",\"size\":[640,480],\"form\":\"xyxy\",\"box\":[0.1,0.20,1,1]}}]}\n"
		"! 5:23@157 'x' is no number\n"
		"! 6:16@176 there is a box without a label\n"
		"{\"path\":\"a.jpg\",\"width\":640,\"height\":480,\"labels\":[{\"concept\":\"dog\"}]}\n");
}

static void test_mapped_columns(void **state)
{
	(void)state;
	struct manifest_columns columns = { .of = { [ROLE_URL] = "bild", [ROLE_LABEL] = "url" } };
	expect_as("url,bild\ncat,https://h/1\n", MANIFEST_AUTO, INPUT_AUTO, &columns,
		"{\"url\":\"https://h/1\",\"labels\":[{\"concept\":\"cat\"}]}\n");
	expect_as("url,bidl\n", MANIFEST_AUTO, INPUT_AUTO, &columns,
		"!! manifest: there is no column 'bild' for url; did you mean 'bidl'?\n");
	expect_as("url,bild,bild\n", MANIFEST_AUTO, INPUT_AUTO, &columns,
		"!! manifest: there are two columns 'bild', and url cannot be both; rename one\n");
	/* as the configuration gives it: for many manifests, of which some have other columns */
	struct manifest_columns loose = { .of = { [ROLE_URL] = "bild", [ROLE_LABEL] = "klasse" }, .loose = true };
	expect_as("bild,klasse,url\nhttps://h/1,cat,https://h/2\n", MANIFEST_AUTO, INPUT_AUTO, &loose,
		"{\"url\":\"https://h/1\",\"metadata\":{\"url\":\"https://h/2\"},\"labels\":[{\"concept\":\"cat\"}]}\n");
	expect_as("image,klasse\na.jpg,dog\n", MANIFEST_AUTO, INPUT_AUTO, &loose,
		"{\"path\":\"a.jpg\",\"labels\":[{\"concept\":\"dog\"}]}\n");
	expect_as("{\"label\":\"cat\",\"image\":\"a.jpg\"}\n", MANIFEST_AUTO, INPUT_AUTO, &loose,
		"{\"path\":\"a.jpg\",\"labels\":[{\"concept\":\"cat\"}]}\n");
	expect_as("https://h/1\nhttps://h/2\n", MANIFEST_AUTO, INPUT_AUTO, &loose,
		"{\"url\":\"https://h/1\"}\n{\"url\":\"https://h/2\"}\n");
}

static void test_rows_of_the_wrong_shape(void **state)
{
	(void)state;
	EXPECT("url,label,label\n/1,a,b\n/2,c\n/3,a,b,c\n,,\n/4,\"x\"y,\n/5,a,b\n,x,\n",
		"{\"path\":\"/1\",\"metadata\":{\"label (2)\":\"b\"},\"labels\":[{\"concept\":\"a\"}]}\n"
		"! 3:5@27 the row has 2 fields, the header has 3\n"
		"! 4:8@35 the row has 4 fields, the header has 3\n"
		"! 6:7@46 text follows the quote that closes a field\n"
		"{\"path\":\"/5\",\"metadata\":{\"label (2)\":\"b\"},\"labels\":[{\"concept\":\"a\"}]}\n"
		"! 8:1@56 the row names no file, no URL and no text\n");
	EXPECT("url,confidence,width,label\n/1,95%,-3,a\n", "{\"path\":\"/1\",\"labels\":[{\"concept\":\"a\"}],"
		"\"warning\":\"'-3' is no width in pixels\","
		"\"warning\":\"'95%' is no confidence between 0 and 1; the label stands without one\"}\n");
}

static void test_clarifai_inputs(void **state)
{
	(void)state;
	static const char text[] = "input,inputid\nhttps://h/a b,1\n./a,2\n/a,3\n../a,4\nfile:///a%20b,5\na.jpg,6\nFILE://other/a,7\nfile:a/b,8\nfile: it,9\n"
		"ftp://h/a,8\n\"data:image/png;base64,AA\",9\ndata: the new oil,10\n";
	expect_as(text, MANIFEST_AUTO, INPUT_AUTO, NULL,
		"{\"id\":\"1\",\"url\":\"https://h/a b\"}\n{\"id\":\"2\",\"path\":\"./a\"}\n{\"id\":\"3\",\"path\":\"/a\"}\n"
		"{\"id\":\"4\",\"path\":\"../a\"}\n{\"id\":\"5\",\"path\":\"/a b\",\"attributes\":{\"input\":\"file:///a%20b\"}}\n{\"id\":\"6\",\"text\":\"a.jpg\"}\n"
		"! 8:1@72 'FILE://other/a' names no file of this machine\n"
		"{\"id\":\"8\",\"path\":\"a/b\",\"attributes\":{\"input\":\"file:a/b\"}}\n{\"id\":\"9\",\"text\":\"file: it\"}\n"
		"! 11:1@111 'ftp://h/a' cannot be read from here\n! 12:1@123 'data:image/png;base64,AA' carries its bytes in itself\n{\"id\":\"10\",\"text\":\"data: the new oil\"}\n");
	expect_as("input,inputid\na.jpg,1\nhttp://h/,2\n", MANIFEST_AUTO, INPUT_FILE_PATH, NULL,
		"{\"id\":\"1\",\"path\":\"a.jpg\"}\n{\"id\":\"2\",\"url\":\"http://h/\"}\n");
	expect_as("input,inputid\na.jpg,1\nhttp://h/,2\n", MANIFEST_AUTO, INPUT_URL, NULL,
		"! 2:1@14 'a.jpg' is not a URL\n{\"id\":\"2\",\"url\":\"http://h/\"}\n");
	expect_as("input,inputid\nhttp://h/,2\n", MANIFEST_AUTO, INPUT_RAW, NULL, "{\"id\":\"2\",\"text\":\"http://h/\"}\n");
}

/* One row with empty concepts takes no labels off the rows behind it, apostrophes survive, what is unreadable stays. */
static void test_clarifai_cells(void **state)
{
	(void)state;
	EXPECT("inputid,input,concepts,metadata,geopoints\n1,/1,cat,,\n2,/2,,,\n3,/3,\"cat, dog\",\"{\"\"a\"\": 1.50}\",\n"
	       "4,/4,,\"{'a': [1, (True, None)], \"\"b\"\": 'x\\'y', 'c': '\\u00e9'}\",\"1,91\"\n5,/5,,{'a': 'it's'},\"1,2\"\n,/6,,,\n"
	       ",https://h/7?X-Amz-Date=1,,,\n8, ,,,\n",
		"{\"id\":\"1\",\"path\":\"/1\",\"labels\":[{\"concept\":\"cat\"}]}\n{\"id\":\"2\",\"path\":\"/2\"}\n"
		"{\"id\":\"3\",\"path\":\"/3\",\"metadata\":{\"a\": 1.50},\"labels\":[{\"concept\":\"cat\"},{\"concept\":\"dog\"}]}\n"
		"{\"id\":\"4\",\"path\":\"/4\",\"metadata\":{\"a\":[1,[true,null]],\"b\":\"x'y\",\"c\":\"é\",\"geopoints\":\"1,91\"},"
		"\"warning\":\"its geopoints are not \\\"longitude,latitude\\\"; they are kept as text\"}\n"
		"{\"id\":\"5\",\"path\":\"/5\",\"unreadable\":\"{'a': 'it's'}\",\"metadata\":{\"geopoints\":[1,2]},"
		"\"warning\":\"its metadata are no JSON object and no Python dictionary; they are kept as they are\"}\n"
		"{\"path\":\"/6\"}\n{\"reference\":\"https://h/7\",\"url\":\"https://h/7?X-Amz-Date=1\"}\n"
		"! 9:3@228 its input is empty\n");
	expect_as("inputid,input,concept\n", MANIFEST_CLARIFAI, INPUT_AUTO, NULL, "!! manifest: a Clarifai CSV has no column "
		"'concept' (did you mean 'concepts'?); import it as csv to keep it as metadata\n");
	expect_as("inputid,concepts\n", MANIFEST_CLARIFAI, INPUT_AUTO, NULL,
		"!! manifest: a Clarifai CSV has a column 'input'\n");
}

static void test_lists_of_urls(void **state)
{
	(void)state;
	EXPECT("https://h/a,b;c\"d\r\n\n  s3://b/k  \n# a comment\nimages/a.jpg\nfile:///x\nhttps://h/\xff\nftp://h/x\n/last",
		"{\"url\":\"https://h/a,b;c\\\"d\"}\n{\"s3\":\"s3://b/k\"}\n{\"path\":\"images/a.jpg\"}\n{\"path\":\"/x\"}\n"
		"! 7:1@68 the line is not UTF-8\n! 8:1@80 'ftp://h/x' cannot be read from here\n{\"path\":\"/last\"}\n");
	EXPECT("https://h/a.jpg?x=1,2\n", "{\"url\":\"https://h/a.jpg?x=1,2\"}\n");
	EXPECT("https://h/a.jpg,cat\n", "!! manifest: it looks like a CSV whose first line names no columns; begin it with a line like "
		"url,label, or say --format urls where the URLs themselves go on behind a comma\n");
	expect_as("https://h/a.jpg,cat\n", MANIFEST_URLS, INPUT_AUTO, NULL, "{\"url\":\"https://h/a.jpg,cat\"}\n");
	EXPECT("images/a.jpg\nimages/b.jpg\n", "{\"path\":\"images/a.jpg\"}\n{\"path\":\"images/b.jpg\"}\n");
	struct manifest_options o = { .field_max = 20, .spool = -1 };
	expect_rows_of(SLICE_LIT("/a\nhttps://h/this/is/longer\n/b\nhttps://h/this/is/longer"), &o, "{\"path\":\"/a\"}\n"
		"! 2:1@3 the line is longer than 20 bytes\n{\"path\":\"/b\"}\n! 4:1@31 the line is longer than 20 bytes\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual_names),
		cmocka_unit_test(test_boxes_keep_their_numbers),
		cmocka_unit_test(test_mapped_columns),
		cmocka_unit_test(test_rows_of_the_wrong_shape),
		cmocka_unit_test(test_clarifai_inputs),
		cmocka_unit_test(test_clarifai_cells),
		cmocka_unit_test(test_lists_of_urls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
