// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"
#include "k8s/one_shot.h"

namespace cmk::k8s {

/// Does an object say all that is wanted of it? What servers and admission add does not matter:
/// members, elements behind the wanted ones, and elements of other names.
bool covers(const nlohmann::json& have, const nlohmann::json& wanted);

/// What an object that is already there, and is another than the one wanted, becomes.
enum class Present {
    kept,      ///< an administrator may have changed it
    patched,   ///< the wanted members are written over it
    replaced,  ///< deleted and made anew
};

/// What came of ensure_object().
struct Ensured {
    enum class How { created, found, changed, kept };
    How how = How::created;
    std::string uid = {};
    std::string version = {};
};

/// May the object there be taken for the one wanted, if it covers that?
using IsUsable = std::function<bool(const nlohmann::json& object)>;

/// Creates an object in a collection ("/api/v1/namespaces/default/pods"). One of the same name that
/// covers it is as good; any other becomes what `present` says. Errors: as refusal(); timed_out
/// where the old one does not go away.
Result<Ensured> ensure_object(PatientApi& api, const std::string& collection,
                              const nlohmann::json& wanted, Present present,
                              const IsUsable& usable = {});

/// How long what is deleted may take to end.
enum class Grace { none, usual };

/// Deletes an object, and what it owns after it. True where there was one. Errors: as refusal().
Result<bool> delete_object(Api& api, const std::string& path, Grace grace);

}  // namespace cmk::k8s
