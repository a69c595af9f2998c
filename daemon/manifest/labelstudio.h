/* labelstudio.h - one result of a Label Studio annotation or prediction as labels. */
#ifndef INLET_MANIFEST_LABELSTUDIO_H
#define INLET_MANIFEST_LABELSTUDIO_H

#include "daemon/manifest/format.h"

/* What is said of the whole annotation or prediction. */
struct result_origin {
	enum row_maker maker;
	enum annotation_status status;
	struct slice worker;
	double confidence;           /* < 0: none */
	/* Where the result stands, for exports: in which list, in which of its elements, at which place there. */
	const char *list;
	size_t index, result;
};

/* Adds one label for each word of the result (its attributes are the members of the result that neither geometry nor words
 * say, and "of":{"list":"annotations","index":0,"result":3,"word":0,"words":"rectanglelabels"}, where that stood), or one under the name of its control; what is no result, nothing. */
void labelstudio_result(struct manifest *m, const struct node *result, const struct result_origin *origin);
/* The same of a region as Label Studio's CSV and JSON-MIN exports have it: a value that stands alone. False: it is none. */
bool labelstudio_region(struct manifest *m, const struct node *region);

#endif
