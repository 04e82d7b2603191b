/* nn_ort_api - the places in ONNX Runtime's table of functions that nn_ort.c calls.
 *
 * OrtGetApiBase()->GetApi(version) gives a table that only ever grows at its end, so that a place
 * means one function in every release (onnxruntime_c_api.h of ONNX Runtime, MIT licence, Copyright
 * Microsoft Corporation). Here stand the places that are used, of the table of release 1.12, and
 * their arguments; no header of it is needed to build.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_ORT_API_H
#define IN_NN_ORT_API_H

#include <stddef.h>
#include <stdint.h>

enum { ORT_VERSION = 12, ORT_QUIET = 4, ORT_OPTIMISE_ALL = 99, ORT_FLOAT = 1, ORT_HALF = 10, ORT_OK = 0 };

struct ort_status;
struct ort_env;
struct ort_options;
struct ort_session;
struct ort_run;
struct ort_value;
struct ort_memory;
struct ort_type;
struct ort_shape;
struct ort_allocator {
	uint32_t version;
	void *(*alloc)(struct ort_allocator *, size_t);
	void (*free)(struct ort_allocator *, void *);
	const struct ort_memory *(*info)(const struct ort_allocator *);
};
struct ort_base { const void *(*table)(uint32_t version); const char *(*version)(void); };

/* X(place, result, name, arguments) */
#define ORT_CALLS(X) \
	X(2, const char *, text, (const struct ort_status *)) \
	X(3, struct ort_status *, env_new, (int quiet, const char *name, struct ort_env **)) \
	X(6, struct ort_status *, telemetry_off, (const struct ort_env *)) \
	X(8, struct ort_status *, session_new, (const struct ort_env *, const void *, size_t, const struct ort_options *, \
	                                        struct ort_session **)) \
	X(9, struct ort_status *, run, (struct ort_session *, const struct ort_run *, const char *const *, \
	                                const struct ort_value *const *, size_t, const char *const *, size_t, \
	                                struct ort_value **)) \
	X(10, struct ort_status *, options_new, (struct ort_options **)) \
	X(17, struct ort_status *, no_pattern, (struct ort_options *)) \
	X(19, struct ort_status *, no_arena, (struct ort_options *)) \
	X(23, struct ort_status *, optimise, (struct ort_options *, int level)) \
	X(24, struct ort_status *, threads_within, (struct ort_options *, int)) \
	X(25, struct ort_status *, threads_between, (struct ort_options *, int)) \
	X(30, struct ort_status *, inputs, (const struct ort_session *, size_t *)) \
	X(31, struct ort_status *, outputs, (const struct ort_session *, size_t *)) \
	X(33, struct ort_status *, input_type, (const struct ort_session *, size_t, struct ort_type **)) \
	X(34, struct ort_status *, output_type, (const struct ort_session *, size_t, struct ort_type **)) \
	X(36, struct ort_status *, input_name, (const struct ort_session *, size_t, struct ort_allocator *, char **)) \
	X(37, struct ort_status *, output_name, (const struct ort_session *, size_t, struct ort_allocator *, char **)) \
	X(39, struct ort_status *, run_new, (struct ort_run **)) \
	X(46, struct ort_status *, run_stop, (struct ort_run *)) \
	X(49, struct ort_status *, value_over, (const struct ort_memory *, void *, size_t, const int64_t *, size_t, int type, \
	                                        struct ort_value **)) \
	X(51, struct ort_status *, value_data, (struct ort_value *, void **)) \
	X(55, struct ort_status *, tensor_of, (const struct ort_type *, const struct ort_shape **)) \
	X(60, struct ort_status *, element, (const struct ort_shape *, int *)) \
	X(61, struct ort_status *, rank, (const struct ort_shape *, size_t *)) \
	X(62, struct ort_status *, dims, (const struct ort_shape *, int64_t *, size_t)) \
	X(65, struct ort_status *, value_shape, (const struct ort_value *, struct ort_shape **)) \
	X(69, struct ort_status *, memory_cpu, (int kind, int type, struct ort_memory **)) \
	X(78, struct ort_status *, own_allocator, (struct ort_allocator **)) \
	X(93, void, status_free, (struct ort_status *)) \
	X(95, void, session_free, (struct ort_session *)) \
	X(96, void, value_free, (struct ort_value *)) \
	X(97, void, run_free, (struct ort_run *)) \
	X(98, void, type_free, (struct ort_type *)) \
	X(99, void, shape_free, (struct ort_shape *)) \
	X(100, void, options_free, (struct ort_options *)) \
	X(130, struct ort_status *, config, (struct ort_options *, const char *key, const char *value)) \
	X(176, struct ort_status *, take_allocator, (struct ort_env *, struct ort_allocator *))

#endif
