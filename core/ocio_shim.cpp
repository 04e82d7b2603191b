// ocio_shim - see ocio_shim.h: OpenColorIO behind a table of C functions, built as a shared object of its own.
// SPDX-License-Identifier: BSD-2-Clause
#include <OpenColorIO/OpenColorIO.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

extern "C" {
#include "ocio_shim.h"
}

namespace OCIO = OCIO_NAMESPACE;

static bool given(const char *s) { return s && *s; }

static char *copy(const std::string &s)
{
	char *p = static_cast<char *>(std::malloc(s.size() + 1));
	if (!p) std::abort();
	std::memcpy(p, s.c_str(), s.size() + 1);
	return p;
}

static OCIO::ConstConfigRcPtr load(const char *path)
{
	OCIO::SetLoggingLevel(OCIO::LOGGING_LEVEL_NONE);
	OCIO::ClearAllCaches();              // it knows files by name and second: one changed since would be the old one
	return OCIO::Config::CreateFromFile(path);
}

static std::string known(const OCIO::ConstConfigRcPtr &config, const char *name)
{
	OCIO::ConstColorSpaceRcPtr s = config->getColorSpace(name);
	return s ? s->getName() : "";
}

// A name that the config lacks is told with those it has.
static void want_space(const OCIO::ConstConfigRcPtr &config, const char *what, const char *name)
{
	if (!given(name) || config->getColorSpace(name)) return;
	std::string all;
	for (int i = 0; i < config->getNumColorSpaces() && all.size() < 600; i++)
		all += std::string(i ? ", " : "") + config->getColorSpaceNameByIndex(i);
	throw OCIO::Exception((std::string(what) + "=\"" + name + "\" is no colour space of the config; there are " + all).c_str());
}

static OCIO::TransformRcPtr transform_of(const OCIO::ConstConfigRcPtr &config, const ocio_shim_ask *a)
{
	want_space(config, "from", a->from);
	want_space(config, "to", a->to);
	if (given(a->display)) {
		OCIO::DisplayViewTransformRcPtr t = OCIO::DisplayViewTransform::Create();
		const char *space = config->getDisplayViewColorSpaceName(a->display, a->view);
		if (!space || !*space) {
			std::string all;
			for (int i = 0; i < config->getNumDisplays(); i++)
				for (int k = 0; k < config->getNumViews(config->getDisplay(i)); k++)
					all += std::string(all.empty() ? "" : ", ") + config->getDisplay(i) + "/" +
					       config->getView(config->getDisplay(i), k);
			throw OCIO::Exception((std::string("display=\"") + a->display + "\" view=\"" + a->view +
			                       "\" is not in the config; there are " + all).c_str());
		}
		t->setSrc(a->from);
		t->setDisplay(a->display);
		t->setView(a->view);
		return t;
	}
	if (given(a->look)) {
		OCIO::LookTransformRcPtr t = OCIO::LookTransform::Create();
		t->setSrc(a->from);
		t->setDst(a->to);
		t->setLooks(a->look);
		return t;
	}
	OCIO::ColorSpaceTransformRcPtr t = OCIO::ColorSpaceTransform::Create();
	t->setSrc(a->from);
	t->setDst(a->to);
	t->setDataBypass(false);
	return t;
}

static void list_files(const OCIO::ConstProcessorRcPtr &p, ocio_shim_result *out)
{
	OCIO::ConstProcessorMetadataRcPtr m = p->getProcessorMetadata();
	int n = m->getNumFiles();
	out->file = static_cast<char **>(std::calloc(static_cast<size_t>(n) + 1, sizeof *out->file));
	if (!out->file) std::abort();
	for (int i = 0; i < n; i++) out->file[out->nfile++] = copy(m->getFile(i));
}

static void as_steps(const OCIO::ConstConfigRcPtr &config, const OCIO::ConstProcessorRcPtr &p, ocio_shim_result *out)
{
	try {
		std::ostringstream text;
		p->createGroupTransform()->write(config, "Academy/ASC Common LUT Format", text);
		out->clf = copy(text.str());
	} catch (const std::exception &e) {
		out->why = copy(e.what());
	}
}

struct cpu_holder { OCIO::ConstCPUProcessorRcPtr p; };

static void shim_close(struct ocio_shim_result *r)
{
	for (int i = 0; i < r->nfile; i++) std::free(r->file[i]);
	std::free(r->file);
	std::free(r->clf);
	std::free(r->why);
	std::free(r->id);
	delete static_cast<cpu_holder *>(r->cpu);
	std::memset(r, 0, sizeof *r);
}

static int shim_open(const struct ocio_shim_ask *a, struct ocio_shim_result *out, char *msg, size_t size)
{
	std::memset(out, 0, sizeof *out);
	try {
		OCIO::ConstConfigRcPtr config = load(a->config);
		OCIO::TransformDirection dir = a->inverse ? OCIO::TRANSFORM_DIR_INVERSE : OCIO::TRANSFORM_DIR_FORWARD;
		OCIO::ConstProcessorRcPtr p = config->getProcessor(transform_of(config, a), dir);
		OCIO::ConstProcessorRcPtr q = p->getOptimizedProcessor(OCIO::OPTIMIZATION_LOSSLESS);
		list_files(p, out);
		out->id = copy(p->getCacheID());
		if (!a->whole) as_steps(config, q, out);
		if (!out->clf) {
			cpu_holder *h = new cpu_holder;
			out->cpu = h;
			h->p = p->getOptimizedCPUProcessor(OCIO::OPTIMIZATION_LOSSLESS);
		}
		return 0;
	} catch (const std::exception &e) {
		std::snprintf(msg, size, "%s", e.what());
	} catch (...) {
		std::snprintf(msg, size, "OpenColorIO failed without a reason");
	}
	shim_close(out);
	return -1;
}

static void shim_apply(const void *cpu, float *r, float *g, float *b, long n)
{
	OCIO::PlanarImageDesc im(r, g, b, nullptr, n, 1);
	static_cast<const cpu_holder *>(cpu)->p->apply(im);
}

static char *shim_interchange(const char *path, char *msg, size_t size)
{
	static const char *const names[] = { "aces_interchange", "ACES2065-1", "ACES - ACES2065-1", "lin_ap0" };
	try {
		OCIO::ConstConfigRcPtr config = load(path);
		for (const char *name : names)
			if (!known(config, name).empty()) return copy(known(config, name));
		return copy("");
	} catch (const std::exception &e) {
		std::snprintf(msg, size, "%s", e.what());
	} catch (...) {
		std::snprintf(msg, size, "OpenColorIO failed without a reason");
	}
	return nullptr;
}

static const char *shim_version(void) { return OCIO::GetVersion(); }

extern "C" __attribute__((visibility("default"))) const struct ocio_shim interneg_ocio;
extern "C" const struct ocio_shim interneg_ocio = { OCIO_SHIM_ABI, shim_version, shim_open, shim_apply, shim_close,
                                                    shim_interchange };
