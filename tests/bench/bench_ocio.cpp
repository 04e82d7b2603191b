// bench_ocio - see bench_ocio.h. SPDX-License-Identifier: BSD-2-Clause
#include <OpenColorIO/OpenColorIO.h>

#include <cstdio>

#include "bench_ocio.h"

namespace OCIO = OCIO_NAMESPACE;

static OCIO::ConstCPUProcessorRcPtr cpu;

static void add_log(const OCIO::GroupTransformRcPtr &group, bool encode)
{
	const double slope[3] = { 1, 1, 1 }, a[3] = { 1 / 17.52, 1 / 17.52, 1 / 17.52 };
	const double b[3] = { 9.72 / 17.52, 9.72 / 17.52, 9.72 / 17.52 }, cut[3] = { 0.0078125, 0.0078125, 0.0078125 };
	OCIO::LogCameraTransformRcPtr t = OCIO::LogCameraTransform::Create(cut);
	t->setBase(2);
	t->setLinSideSlopeValue(slope);
	t->setLogSideSlopeValue(a);
	t->setLogSideOffsetValue(b);
	t->setDirection(encode ? OCIO::TRANSFORM_DIR_FORWARD : OCIO::TRANSFORM_DIR_INVERSE);
	group->appendTransform(t);
}
static void add_cdl(const OCIO::GroupTransformRcPtr &group)
{
	const double slope[3] = { 1.1, 1, 0.95 }, offset[3] = { 0.01, 0, -0.01 }, power[3] = { 0.98, 1.02, 1.05 };
	OCIO::CDLTransformRcPtr t = OCIO::CDLTransform::Create();
	t->setSlope(slope);
	t->setOffset(offset);
	t->setPower(power);
	t->setSat(0.9);
	t->setStyle(OCIO::CDL_NO_CLAMP);
	group->appendTransform(t);
}
static void add_gamma(const OCIO::GroupTransformRcPtr &group)
{
	const double gamma[4] = { 2.4, 2.4, 2.4, 1 };
	OCIO::ExponentTransformRcPtr t = OCIO::ExponentTransform::Create();
	t->setValue(gamma);
	t->setNegativeStyle(OCIO::NEGATIVE_MIRROR);
	group->appendTransform(t);
}
static void add_matrix(const OCIO::GroupTransformRcPtr &group)
{
	const double m[16] = { 1.705, -0.622, -0.083, 0, -0.130, 1.141, -0.011, 0, -0.024, -0.129, 1.153, 0, 0, 0, 0, 1 };
	OCIO::MatrixTransformRcPtr t = OCIO::MatrixTransform::Create();
	t->setMatrix(m);
	group->appendTransform(t);
}

int bench_ocio_open(enum bench_ocio what)
{
	try {
		OCIO::GroupTransformRcPtr group = OCIO::GroupTransform::Create();
		if (what == BENCH_CDL_LOG || what == BENCH_TO_LOG) add_log(group, true);
		if (what == BENCH_CDL_LOG || what == BENCH_CDL) add_cdl(group);
		if (what == BENCH_CDL_LOG || what == BENCH_FROM_LOG) add_log(group, false);
		if (what == BENCH_GAMMA) add_gamma(group);
		if (what == BENCH_MATRIX) add_matrix(group);
		cpu = OCIO::Config::CreateRaw()->getProcessor(group)->getDefaultCPUProcessor();
	} catch (const std::exception &e) {
		std::fprintf(stderr, "bench: OpenColorIO: %s\n", e.what());
		return 0;
	}
	return 1;
}

void bench_ocio_run(const float *rgba, float *out, int w, int h)
{
	OCIO::PackedImageDesc src(const_cast<float *>(rgba), w, h, 4), dst(out, w, h, 4);
	cpu->apply(src, dst);
}
