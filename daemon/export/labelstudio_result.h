/* labelstudio_result.h - labels as results of a Label Studio annotation. */
#ifndef INLET_EXPORT_LABELSTUDIO_RESULT_H
#define INLET_EXPORT_LABELSTUDIO_RESULT_H

#include "daemon/export/shape.h"

/* Where a label stood in the task that it came from (daemon/manifest/labelstudio.h). */
enum task_list { LIST_NONE, LIST_ANNOTATIONS, LIST_COMPLETIONS, LIST_PREDICTIONS };
const char *task_list_name(enum task_list l);
struct result_place {
	enum task_list list;    /* LIST_NONE: it came from elsewhere */
	double index, result, word;
};

/* Reused memory for results; one thread at a time. */
struct result_maker {
	struct shape *shape;
	struct dom said;
};
struct result_place result_place(struct result_maker *r, const struct annotation *a);
/* One result that came from Label Studio, of labels that were its words, as it came. */
void result_as_came(struct result_maker *r, const struct annotation *const *labels, size_t count, struct json *j);
/* A label from elsewhere: a control named "label" on the member `content` of the data. False: Label Studio has no such shape;
 * nothing is written. */
bool result_make(struct result_maker *r, const struct annotation *a, const struct shape_frame *frame, struct slice content,
	struct json *j);

#endif
