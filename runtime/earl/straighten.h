// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>

namespace nightshift::runtime::earl {

/// How the peg is turned about one axis and turning. The model gives it an inertia of 100,000 kg m^2: hardly anything
/// turns it, but what little it was turned by, in the hole most of all, it goes on turning by for hours, and no
/// observation says so. It shows in how it lies and in how it is held.
struct Turn {
  double angle_rad = 0;  // When it was last seen.
  double rate_rad = 0;   // Per step, between the last two times.
  std::int64_t seen_step = 0;
};

Turn Seen(const Turn& before, double angle_rad, std::int64_t step);

/// Of the head above the rear, while it lies on the table: its head, 0.215 m from the edge that bears it, rests higher
/// than half its thickness. Pointing down reads as 0.
double PitchOf(std::span<const float> lying_state);
/// Of the head towards +y, while the fingers hold it: they hold its middle line, so many metres behind the head.
double YawOf(std::span<const float> held_state);

/// For how many steps the closed fingers shall press on its head (on its rear where negative), so that it comes back to
/// flat within some thousand steps. Pure.
int PressSteps(const Turn& pitch);
/// For how many steps the hand shall hold its rear 2.4 cm towards +y (-y where negative) while its head is in the hole,
/// whose wall turns it back. Pure.
int LeverSteps(const Turn& yaw);

}  // namespace nightshift::runtime::earl
