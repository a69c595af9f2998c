/* show.h - what readers of the API see beyond the contract line of an item: the whole of one item, and failures. */
#ifndef INLET_API_SHOW_H
#define INLET_API_SHOW_H

#include "daemon/base/json.h"
#include "daemon/store/view.h"

/* {"id","source","key","item"?,"stage","class","reason","cure","attempts","due"}; class is quarantined, retry or
 * archived; due is null unless retry. Of a row of a manifest, in place of key: "import", "file", "line", "column", "offset",
 * "values"?; its class retry says that the same row may be good when it is imported again. Of an object that is a row, both.
 * name: NULL where the object is not a member. */
void failure_json(const struct failure *f, const char *name, struct json *j);

/* The contract members of an item with history, then {"superseded":[…],"location","facts"?,"rows":[…],"runs":[…],"failure"?}:
 * one object, no newline. */
int show_json(struct view *v, const struct item *item, struct buf *to, struct err *err);

#endif
