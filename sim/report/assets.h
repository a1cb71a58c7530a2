#pragma once

#include <string_view>

namespace orrery::sim {

/// uPlot 1.6 (MIT, see assets/LICENSE.uPlot), embedded at build.
std::string_view uplot_js();
std::string_view uplot_css();

}  // namespace orrery::sim
