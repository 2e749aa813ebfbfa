#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sql/sql_catalog.h"
#include "backup/backup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/identity.h"
#include "base/result.h"
#include "content/catalog.h"
#include "content/storage.h"
#include "doctor/examination.h"
#include "main/settings.h"

/// An installation, which is a data folder, a catalog and storages as the settings name them: opening it for a server,
/// and what is done with it without one.
namespace quire::main {

base::Error bad_setting(std::string_view text, std::vector<base::MessageParam> params = {});

/// Whether the catalog lies in the data folder.
bool is_embedded(const Settings& settings);

/// Brings the schema up to date. InvalidArgument when the setting names no catalog; else as its adapter says.
base::Result<std::unique_ptr<content::Catalog>> open_catalog(const Settings& settings);
/// The same catalog as it is, to be read beside a server.
base::Result<std::unique_ptr<content::Catalog>> open_catalog_to_read(const Settings& settings);
base::Result<adapters::sql::CatalogSurvey> survey_catalog(const Settings& settings);

/// A value of the installation that is made once, `fresh`, and then stays.
base::Result<std::string> fixed_setting(content::Catalog& catalog, const std::string& name, const std::string& fresh);

/// In the data folder, what is kept of storages in buckets. May be removed at any time.
inline constexpr std::string_view cache_folder_name = "cache";

/// The identifier of the installation, by which clients and object stores know it.
base::Result<std::string> installation_id(content::Catalog& catalog, base::IdentitySource& identities);

/// Gives those that are new their identifiers. `clock` and `identities` must outlive the storages.
base::Result<content::Storages> open_storages(const Settings& settings, content::Catalog& catalog, base::Clock& clock,
                                              base::IdentitySource& identities);
/// Where those lie that are folders, in the order of the settings.
base::Result<std::vector<std::filesystem::path>> storage_folders(const Settings& settings);

/// Opens the catalog and the storages of an installation and compares them (doctor/examination.h). ResourceInUse while
/// a server runs on them, or is connected to the same database; else the Error says why they could not be opened.
base::Result<doctor::Diagnosis> examine(const Settings& settings, const doctor::Examination& examination);

/// Saves the installation into `folder`, also while a server runs on it (backup/backup.h).
base::Result<backup::Summary> make_backup(const Settings& settings, const std::string& folder, bool verify_all,
                                          const backup::Progress& progress);

/// Makes an installation from the backup in `folder`: the catalog of `settings`, which must not be there yet, whichever
/// engine it was saved from, and the storages. ResourceInUse when it is; NotFound when `folder` holds no backup;
/// InvalidArgument, naming them, when storages of the backup are not configured.
base::Result<backup::Summary> restore(const Settings& settings, const std::string& folder,
                                      const backup::Progress& progress);

/// The quick examination of an installation whose catalog was opened to be read; nothing is changed. ResourceInUse as
/// examine().
base::Result<doctor::Diagnosis> look_over(const Settings& settings, content::Catalog& catalog);

}  // namespace quire::main
