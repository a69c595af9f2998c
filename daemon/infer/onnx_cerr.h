/* onnx_cerr.h - what ONNX Runtime's C++ says on std::cerr, past its own log: all of it, less one known false alarm.
 *
 * Debian 13's libonnxruntime1.21 uses Debian's libonnx, which registers every operator by itself; the runtime then does so
 * again at its first session, as it must with the libonnx that it is written for. ONNX answers each of 567 with "Schema
 * error: Trying to register schema with name ..., but it is already registered ...", and nothing of the C interface reaches
 * that. Where both places that such a line names are one and the same, the operator is simply there, and the line is left
 * out. Where they differ, two operators fight for a name: that is let through, like everything else. */
#ifndef INLET_INFER_ONNX_CERR_H
#define INLET_INFER_ONNX_CERR_H

#include <stdio.h>

/* dlopen(path, RTLD_NOW | RTLD_LOCAL) with such a stream on stderr in the place of std::cerr. libstdc++ takes hold of C's
 * stderr once, when it is loaded: where the process has it already, what it says stays as it was. One thread at a time. */
void *onnx_cerr_dlopen(const char *path);

/* The stream: passes on to fd, as soon as it is known what a line is. The caller's, to fclose(); fd stays open.
 * NULL: no memory. */
FILE *onnx_cerr_open(int fd);

#endif
