// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/shapes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace nightshift::safety {
namespace {

using core::Vec3;

constexpr double kRoundingM = 1e-7;      // Taken off every distance, so that none is too large.
constexpr double kParallelSin2 = 1e-14;  // Below it the crossing of two segments drowns in rounding.

struct Segment {
  Vec3 from, along;
};

Segment AxisOf(const Capsule& capsule) { return {capsule.a_m, capsule.b_m - capsule.a_m}; }
Vec3 PointOn(const Segment& segment, double share) { return segment.from + segment.along * share; }

/// Where on the segment, as a share of its length, it is nearest to p.
double NearestShare(const Segment& segment, Vec3 p) {
  const double length2 = Dot(segment.along, segment.along);
  return length2 > 0 ? std::clamp(Dot(p - segment.from, segment.along) / length2, 0.0, 1.0) : 0;
}

double Distance2(const Segment& segment, Vec3 p) {
  const Vec3 apart = p - PointOn(segment, NearestShare(segment, p));
  return Dot(apart, apart);
}

/// The nearest points of two lines, carried onto the segments one after the other (Ericson, Real-Time Collision
/// Detection, 5.1.9). Where the lines are almost parallel an end of one segment is as near as any point, so that the
/// start of the first, carried onto the other and back, will do. So it does where a segment is a point.
double Distance2(const Segment& s, const Segment& t) {
  const double ss = Dot(s.along, s.along), tt = Dot(t.along, t.along), st = Dot(s.along, t.along);
  const Vec3 apart = s.from - t.from;
  const double sin2 = ss * tt - st * st;
  const double on_s = sin2 > kParallelSin2 * ss * tt
                          ? std::clamp((st * Dot(t.along, apart) - Dot(s.along, apart) * tt) / sin2, 0.0, 1.0)
                          : 0;
  const Vec3 on_t = PointOn(t, NearestShare(t, PointOn(s, on_s)));
  return Distance2(s, on_t);
}

/// How far x lies outside [-half, half], with its sign.
double Beyond(double x, double half) { return x - std::clamp(x, -half, half); }

Vec3 Beyond(Vec3 p, Vec3 half) { return {Beyond(p.x, half.x), Beyond(p.y, half.y), Beyond(p.z, half.z)}; }

/// In the box's own frame, its centre the origin.
Vec3 Inside(const Box& box, Vec3 p) {
  const Vec3 v = p - box.centre_m;
  return {Dot(box.axes.x, v), Dot(box.axes.y, v), Dot(box.axes.z, v)};
}

/// Finds where the squared distance to the box stops falling along a segment. Its slope never falls and is linear
/// between the places where the segment crosses a face's plane: each such place narrows [low, high], and in what is
/// left the zero is found by proportion.
class Descent {
 public:
  Descent(const Segment& segment, Vec3 half) : segment_(segment), half_(half) {}

  double Share() {
    if (slope_low_ = Slope(0); slope_low_ >= 0) return 0;
    if (slope_high_ = Slope(1); slope_high_ <= 0) return 1;
    Narrow(segment_.from.x, segment_.along.x, half_.x);
    Narrow(segment_.from.y, segment_.along.y, half_.y);
    Narrow(segment_.from.z, segment_.along.z, half_.z);
    const double rise = slope_high_ - slope_low_;
    return rise > 0 ? low_ - (high_ - low_) * slope_low_ / rise : low_;
  }

 private:
  double Slope(double share) const { return Dot(segment_.along, Beyond(PointOn(segment_, share), half_)); }

  void Narrow(double from, double along, double half) {
    for (const double share : {(-half - from) / along, (half - from) / along}) {
      if (!(share > low_ && share < high_)) continue;  // So, too, along the planes: infinite, or no number.
      const double slope = Slope(share);
      (slope <= 0 ? low_ : high_) = share;
      (slope <= 0 ? slope_low_ : slope_high_) = slope;
    }
  }

  Segment segment_;
  Vec3 half_;
  double low_ = 0, high_ = 1;
  double slope_low_ = 0, slope_high_ = 0;
};

double FaceGap(double from, double along, double half) {
  return std::max(std::min(from, from + along), -std::max(from, from + along)) - half;
}

/// Along the direction perpendicular to the segment and to one of the box's axes; u and v are the other two.
double EdgeGap(double from_u, double from_v, double along_u, double along_v, double half_u, double half_v) {
  const double length = std::sqrt(along_u * along_u + along_v * along_v);
  if (!(length > 0)) return -std::numeric_limits<double>::infinity();
  const double apart = std::abs(from_u * along_v - from_v * along_u);
  return (apart - half_u * std::abs(along_v) - half_v * std::abs(along_u)) / length;
}

/// Of a segment that reaches into the box: the shortest way out, negative. Only normals of faces and perpendiculars of
/// an edge and the segment can be that way (separating axes of two convex shapes).
double Depth(const Segment& segment, Vec3 half) {
  const auto [p, d] = segment;
  return std::max({FaceGap(p.x, d.x, half.x), FaceGap(p.y, d.y, half.y), FaceGap(p.z, d.z, half.z),
                   EdgeGap(p.y, p.z, d.y, d.z, half.y, half.z), EdgeGap(p.z, p.x, d.z, d.x, half.z, half.x),
                   EdgeGap(p.x, p.y, d.x, d.y, half.x, half.y)});
}

}  // namespace

double Distance(const Capsule& one, const Capsule& other) {
  return std::sqrt(Distance2(AxisOf(one), AxisOf(other))) - one.radius_m - other.radius_m - kRoundingM;
}

double Distance(const Capsule& capsule, const Box& box) {
  const Vec3 a = Inside(box, capsule.a_m), b = Inside(box, capsule.b_m);
  const Segment segment{a, b - a};
  const double apart = core::Norm(Beyond(PointOn(segment, Descent(segment, box.half_m).Share()), box.half_m));
  return (apart == 0 ? std::min(0.0, Depth(segment, box.half_m)) : apart) - capsule.radius_m - kRoundingM;
}

double Distance(const Capsule& capsule, const HalfSpace& solid) {
  const double a = Dot(solid.normal, capsule.a_m), b = Dot(solid.normal, capsule.b_m);
  // An end that is not a number is no end that std::min could be trusted with.
  const double nearest = std::isnan(b) ? b : std::min(a, b);
  return nearest - solid.offset_m - capsule.radius_m - kRoundingM;
}

Ball BallAround(const Capsule& capsule) {
  return {(capsule.a_m + capsule.b_m) * 0.5, core::Norm(capsule.b_m - capsule.a_m) / 2 + capsule.radius_m};
}

double Distance(const Ball& ball, const Ball& other) {
  return core::Norm(ball.centre_m - other.centre_m) - ball.radius_m - other.radius_m - kRoundingM;
}

double Distance(const Ball& ball, const Box& box) {
  return core::Norm(Beyond(Inside(box, ball.centre_m), box.half_m)) - ball.radius_m - kRoundingM;
}

double Distance(const Ball& ball, const HalfSpace& solid) {
  return Dot(solid.normal, ball.centre_m) - ball.radius_m - solid.offset_m - kRoundingM;
}

}  // namespace nightshift::safety
