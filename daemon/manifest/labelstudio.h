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
};

/* Adds one label for each word of the result, or one under the name of its control; what is no result, nothing. */
void labelstudio_result(struct manifest *m, const struct node *result, const struct result_origin *origin);
/* The same of a region as Label Studio's CSV and JSON-MIN exports have it: a value that stands alone. False: it is none. */
bool labelstudio_region(struct manifest *m, const struct node *region);

#endif
