/* bucket_name.h - what a bucket may be called: providers refuse to make others, so another name is a typing mistake. */
#ifndef INLET_CONFIG_BUCKET_NAME_H
#define INLET_CONFIG_BUCKET_NAME_H

enum bucket_rules {
	BUCKET_LENIENT, /* somebody's own server: Ceph and others take what Amazon does not */
	BUCKET_AMAZON,
	BUCKET_AMAZON_OLD, /* us-east-1 before March 2018: upper case, '_' and 255 characters; the buckets are still there */
	BUCKET_GOOGLE,
};

/* NULL: it may be. Else why not, static text that goes on after "'name': ". */
const char *bucket_name_wrong(const char *name, enum bucket_rules rules);

#endif
