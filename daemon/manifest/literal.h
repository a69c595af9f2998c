/* literal.h - the metadata cell of a CSV as JSON: JSON as it is, or the dictionary that Python prints ({'a': "it's",
 * 'b': None, 'c': (1, 2.5)}), which Clarifai's CSV wants. Nothing is guessed: what is neither is refused. Pure. */
#ifndef INLET_MANIFEST_LITERAL_H
#define INLET_MANIFEST_LITERAL_H

#include "daemon/manifest/dom.h"

/* Appends the value as JSON text. -1: it is neither, or what dom.h refuses in it is *ret_why, a sentence; nothing is appended. */
int literal_json(struct slice text, struct dom *scratch, struct buf *to, const char **ret_why);

#endif
