/* verb_decide.c - accept, reject, label: what people decide. */
#include "daemon/cli/args.h"
#include "daemon/cli/client.h"
#include "daemon/cli/fields.h"
#include "daemon/cli/out.h"
#include "daemon/base/cleanup.h"
#include "daemon/base/json.h"
#include "daemon/base/mem.h"
#include "daemon/base/text.h"

static int decide(struct cli *c, const char *action, const char *done, struct err *err)
{
	const char *concept = c->args->word_count > 1 ? c->args->words[1] : "";
	const char *id = c->args->words[0];
	if (!text_is_utf8(slice_of(concept))) {
		(void)err_set(err, ERR_REJECT, 0, "the label is not UTF-8; is the terminal set to another encoding?");
		return EXIT_USAGE;
	}
	CLEANUP(freep) char *path = mem_printf("/api/v1/items/%s/%s", id, action);
	struct buf body = { 0 };
	struct json j = { .to = &body };
	json_open(&j, NULL, '{');
	json_str(&j, "concept", slice_of(concept));
	json_close(&j, '}');
	CLEANUP(freep) char *text = buf_take(&body);
	if (c->args->json)
		return client_request(c->client, path, text, out_write, NULL, err);
	CLEANUP(json_decrefp) json_t *answer = NULL;
	if (client_json(c->client, path, text, &answer, err) < 0)
		return -1;
	struct buf shown = { 0 };
	out_plain(&shown, slice_of(*concept ? concept : "all that waited"));
	CLEANUP(freep) char *label = buf_take(&shown);
	return out_printf(err, "item %s: %s %s (revision %llu)\n", id, done, label,
		(unsigned long long)field_u64(answer, "revision"));
}

int verb_accept(struct cli *c, struct err *err)
{
	return decide(c, "accept", "accepted", err);
}

int verb_reject(struct cli *c, struct err *err)
{
	return decide(c, "reject", "rejected", err);
}

int verb_label(struct cli *c, struct err *err)
{
	return decide(c, "label", "labelled", err);
}
