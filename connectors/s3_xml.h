/* s3_xml.h - reads the XML of S3's answers as it streams in: every element that ends, with its path and its text.
 *
 * Made for hostile answers, not for all of XML: sizes are bounded, a DOCTYPE is refused, and so is whatever is not closed in
 * order. It takes what S3 servers send beside the standard: control characters, raw or as references (keys hold them). Attributes,
 * comments and processing instructions are passed over. One thread at a time. */
#ifndef INLET_CONNECTORS_S3_XML_H
#define INLET_CONNECTORS_S3_XML_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

#include <stdint.h>

#define S3_XML_DEPTH 8
#define S3_XML_NAME_MAX 64
#define S3_XML_TEXT_MAX 8192         /* bytes of one text: a key of 1,024 bytes has 3,072 when it is encoded */
#define S3_XML_MAX (16U << 20)       /* bytes of a document */

/* An element ended. path is "ListBucketResult/Contents/Key"; text is what stood in it, references resolved, and is only that of an
 * element without children. Both live for the call. -1 ends the reading. */
typedef int s3_xml_fn(void *arg, const char *path, struct slice text, struct err *err);

struct s3_xml {
	s3_xml_fn *end;
	void *arg;
	int state;                       /* enum state of s3_xml.c */
	struct buf path, text, token;    /* token: the name, reference or marker being read */
	uint16_t at[S3_XML_DEPTH];       /* length of path before each open element */
	unsigned int depth;
	uint64_t bytes;
	char quote;
	bool begun, closed;              /* the root was opened, closed */
};

void s3_xml_init(struct s3_xml *x, s3_xml_fn *end, void *arg);
void s3_xml_done(struct s3_xml *x);
void s3_xml_reset(struct s3_xml *x);          /* the next document */
/* ERR_RETRY: not XML that is read here, or too large; else end()'s err. After -1 only reset and done. */
int s3_xml_add(struct s3_xml *x, struct slice p, struct err *err);
bool s3_xml_whole(const struct s3_xml *x);    /* the root element was closed and nothing is half read */

#endif
