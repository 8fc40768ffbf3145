// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace nightshift::runtime::earl {

/// What is known of the peg's pitch. The model gives the peg an inertia of 100,000 kg m^2: hardly anything turns it,
/// but what little it is turned by, it goes on turning by for hours, and no observation says so. Lying on the table it
/// shows: its head, 0.22 m from the end that bears it, rests higher than half its thickness.
struct Pitch {
  double pitch_rad = 0;  // Of the head above the rear; what was last seen.
  double rate_rad = 0;   // Per step, between the last two times.
  std::int64_t seen_step = 0;
};

/// What the head's height says. Only that it points up is seen; pointing down reads as lying flat.
Pitch SeePitch(const Pitch& before, double head_z_m, std::int64_t step);

/// For how many steps the closed fingers shall press on its head (on its rear where negative), so that it turns back to
/// flat within some thousand steps: pressing changes its rate by 6e-8 rad per step and step, as measured. Pure.
int PressSteps(const Pitch& pitch);

}  // namespace nightshift::runtime::earl
