/* backend.c - the backends that a model card can name. */
#include "daemon/infer/backend.h"

#include <string.h>

const struct backend_ops *backend_find(const char *name)
{
	static const struct backend_ops *const all[] = { &onnx_backend };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}
