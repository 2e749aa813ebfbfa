#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <vector>

namespace quire::bundle {

/// What this machine is and gives to this process: kernel, processors, memory, limits (also those of its control
/// group), clock, and of each folder its file system and free space. Facts that cannot be had are null.
boost::json::object platform_facts(const std::vector<std::filesystem::path>& folders);

/// Names, sizes, modes and owners of the files in a folder and `levels` of folders below it, at most 1000; not what
/// they hold.
boost::json::array files_in(const std::filesystem::path& folder, int levels);

}  // namespace quire::bundle
