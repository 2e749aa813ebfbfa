#pragma once

#include "wire/soap/soap_methods.h"

/// Searches of datastores (wire-protocols.md §4.8). A search is done when its method returns; the Task that it gives
/// out has ended.
namespace quire::wire {

/// SearchDatastore_Task, and SearchDatastoreSubFolders_Task when `with_folders_below`: the info of a task that did it.
/// `task`: that it is to be.
vim::Answer<vim::DataObject> search_datastore(const SoapCall& call, const vim::Reference& task,
                                              bool with_folders_below);

}  // namespace quire::wire
