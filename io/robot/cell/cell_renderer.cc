// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_renderer.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <mujoco/mujoco.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "io/robot/cell/cell_picture.h"

namespace nightshift::io::cell {
namespace {

constexpr int kSceneGeomsMax = 200;
constexpr std::uint64_t kNoiseStream = 0xC0FFEE;  // Other draws than the world's, from the same seed.

tl::unexpected<core::Fault> EglFault(const char* call) {
  char text[200];
  std::snprintf(text, sizeof text,
                "cell camera: %s failed (EGL error 0x%x); install libegl1 and libgl1-mesa-dri, no display is needed",
                call, static_cast<unsigned>(eglGetError()));
  return core::Fail(core::FaultCode::kIoFailed, text);
}

/// Where a point appears to the camera as it really stands.
ImagePoint Project(const mjModel& m, const mjData& d, int camera, core::Vec3 p) {
  const mjtNum* at = d.cam_xpos + 3 * camera;
  const mjtNum* r = d.cam_xmat + 9 * camera;  // Columns: right, up, back.
  const double v[3] = {p.x - at[0], p.y - at[1], p.z - at[2]};
  double in[3];
  for (int k = 0; k < 3; ++k) in[k] = r[k] * v[0] + r[3 + k] * v[1] + r[6 + k] * v[2];
  const double focal_px = kImageHeight / 2.0 / std::tan(m.cam_fovy[camera] * std::numbers::pi / 360);
  return {kImageWidth / 2.0 + focal_px * in[0] / -in[2], kImageHeight / 2.0 - focal_px * in[1] / -in[2]};
}

}  // namespace

struct CellRenderer::Context {
  Context(std::uint64_t seed) : random(seed ^ kNoiseStream) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() {
    if (made) {
      mjr_freeContext(&gl);
      mjv_freeScene(&scene);
    }
    if (context != EGL_NO_CONTEXT) {
      eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
      eglDestroyContext(display, context);
    }
    // The display is the process's, not ours: it is shared by all renderers, and Mesa unloads its driver badly.
  }

  core::Result<void> OpenEgl() {
    const auto get_display =
        reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(eglGetProcAddress("eglGetPlatformDisplayEXT"));
    if (!get_display) return EglFault("eglGetPlatformDisplayEXT");
    display = get_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr);
    if (display == EGL_NO_DISPLAY) return EglFault("surfaceless display");
    if (!eglInitialize(display, nullptr, nullptr)) return EglFault("eglInitialize");
    const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_NONE};
    EGLConfig config = nullptr;
    EGLint count = 0;
    if (!eglChooseConfig(display, wanted, &config, 1, &count) || count < 1) return EglFault("eglChooseConfig");
    if (!eglBindAPI(EGL_OPENGL_API)) return EglFault("eglBindAPI");
    context = eglCreateContext(display, config, EGL_NO_CONTEXT, nullptr);
    if (context == EGL_NO_CONTEXT) return EglFault("eglCreateContext");
    if (!eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context)) return EglFault("eglMakeCurrent");
    return {};
  }

  void MakeScene(const mjModel* model) {
    mjv_defaultCamera(&camera);
    camera.type = mjCAMERA_FIXED;
    camera.fixedcamid = mj_name2id(model, mjOBJ_CAMERA, "bench");
    mjv_defaultOption(&option);
    mjv_defaultScene(&scene);
    mjr_defaultContext(&gl);
    mjv_makeScene(model, &scene, kSceneGeomsMax);
    mjr_makeContext(model, &gl, mjFONTSCALE_50);
    mjr_setBuffer(mjFB_OFFSCREEN, &gl);
    for (const int off : {mjRND_SHADOW, mjRND_REFLECTION, mjRND_SKYBOX, mjRND_HAZE, mjRND_FOG}) scene.flags[off] = 0;
    made = true;
  }

  /// OpenGL's rows begin at the bottom.
  void DrawInto(core::Frame& frame, const mjModel* model, mjData* data) {
    mjv_updateScene(model, data, &option, nullptr, &camera, mjCAT_ALL, &scene);
    mjr_render({0, 0, kImageWidth, kImageHeight}, &scene, &gl);
    mjr_readPixels(frame.rgb.data(), nullptr, {0, 0, kImageWidth, kImageHeight}, &gl);
    const auto row = static_cast<std::ptrdiff_t>(3 * kImageWidth);
    for (int y = 0; y < kImageHeight / 2; ++y) {
      const auto top = frame.rgb.begin() + y * row;
      std::swap_ranges(top, top + row, frame.rgb.begin() + (kImageHeight - 1 - y) * row);
    }
  }

  EGLDisplay display = EGL_NO_DISPLAY;
  EGLContext context = EGL_NO_CONTEXT;
  mjvCamera camera{};
  mjvOption option{};
  mjvScene scene{};
  mjrContext gl{};
  bool made = false;
  core::Random random;
  std::uint64_t sequence = 0;
  std::vector<std::uint8_t> last_rgb;
};

CellRenderer::CellRenderer(std::unique_ptr<Context> context) : c_(std::move(context)) {}
CellRenderer::CellRenderer(CellRenderer&&) noexcept = default;
CellRenderer& CellRenderer::operator=(CellRenderer&&) noexcept = default;
CellRenderer::~CellRenderer() = default;

core::Result<CellRenderer> CellRenderer::Create(const CellWorld& world) {
  auto context = std::make_unique<Context>(world.config().seed);
  if (auto opened = context->OpenEgl(); !opened) return tl::make_unexpected(opened.error());
  context->MakeScene(&world.model());
  if (context->gl.offWidth < kImageWidth || context->gl.offHeight < kImageHeight)
    return core::Fail(core::FaultCode::kInvalidConfig,
                      "cell camera: the model's offscreen buffer is too small: offwidth must be at least 160 and "
                      "offheight 120 in <visual><global>");
  return CellRenderer(std::move(context));
}

core::Frame CellRenderer::Render(CellWorld& world) {
  core::Frame frame{.captured = world.time(),
                    .sequence = ++c_->sequence,
                    .width = kImageWidth,
                    .height = kImageHeight,
                    .rgb = std::vector<std::uint8_t>(std::size_t{3} * kImageWidth * kImageHeight)};
  if (world.Active(CellFault::kBlindCamera)) return frame;
  if (world.Active(CellFault::kFreezeCamera) && !c_->last_rgb.empty()) {
    frame.rgb = c_->last_rgb;
    return frame;
  }
  c_->DrawInto(frame, &world.model(), &world.data());
  std::array<ImagePoint, kObjects> objects;
  const Truth truth = world.Objects();
  std::transform(truth.begin(), truth.end(), objects.begin(), [&](const ObjectTruth& object) {
    return Project(world.model(), world.data(), c_->camera.fixedcamid, object.position_m);
  });
  Spoil(frame, world.config().mess, objects, c_->random);
  c_->last_rgb = frame.rgb;
  return frame;
}

}  // namespace nightshift::io::cell
