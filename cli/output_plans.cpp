// SPDX-License-Identifier: Apache-2.0
#include "cli/output_plans.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/display_text.h"
#include "cli/output_document.h"
#include "cli/output_json.h"
#include "cli/picture.h"
#include "cli/places.h"
#include "cli/sentences.h"
#include "ipc/errors.h"
#include "ipc/json_codec.h"

namespace cmk {

using nlohmann::json;

namespace {

std::string request_text(const AllocationRequest& request) {
    return counted(request.cores, "core", "cores") + " of pool " + quote(request.pool) +
           (request.package ? " on socket " + std::to_string(*request.package) : "");
}

json data_of(const Explanation& explanation) {
    json value = document("Explanation");
    const AllocationRequest& request = explanation.request;
    value["pool"] = request.pool;
    value["cores"] = request.cores;
    value["package"] = request.package ? json(*request.package) : json(nullptr);
    value["granted"] = !explanation.refusal;
    value["cpus"] = explanation.cpus.to_cpulist();
    value["places"] = explanation.places;
    value["refusal"] = nullptr;
    if (explanation.refusal) {
        value["refusal"] = {{"error", name_of(explanation.refusal->code).varlink},
                            {"message", explanation.refusal->message}};
    }
    value["holders"] = json::array();
    for (const Lease& lease : explanation.holders)
        value["holders"].push_back(to_json(lease));
    value["hidden_cores"] = explanation.hidden_cores;
    value["notes"] = explanation.notes;
    value["alternatives"] = explanation.alternatives;
    return value;
}

json data_of(const Simulation& simulation) {
    const Machine& machine = simulation.machine;
    json value = document("Simulation");
    value["isolated"] = machine.host.isolated.to_cpulist();
    for (const char* list : {"cpus", "pools", "leases"})
        value[list] = json::array();
    for (const CpuRecord& record : machine.host.topology.records())
        value["cpus"].push_back(to_json(record));
    for (const PoolReport& report : machine.pools)
        value["pools"].push_back(to_json(report));
    for (const Lease& lease : machine.leases) {
        value["leases"].push_back({{"id", lease.id},
                                   {"pool", lease.pool},
                                   {"cpus", lease.cpus.to_cpulist()},
                                   {"places", places_of(machine.host.topology, lease.cpus)}});
    }
    value["warnings"] = simulation.warnings;
    value["refusals"] = simulation.refusals;
    return value;
}

}  // namespace

std::string render_explanation(const Explanation& explanation, const OutputStyle& style) {
    if (is_data(style.format)) return text_of(data_of(explanation), style.format);
    const std::string what = request_text(explanation.request);
    std::string out;
    if (explanation.refusal) {
        out += sentences("", {what + ": would be refused."}, style);
        out += sentences("because: ", {explanation.refusal->message}, style);
    } else {
        out += sentences("", {what + ": would get CPUs " + explanation.cpus.to_cpulist() + "."},
                         style);
        out += sentences("from: ", explanation.places, style);
    }
    out += sentences("note: ", explanation.notes, style);
    if (explanation.refusal) out += sentences("instead: ", explanation.alternatives, style);
    if (explanation.hidden_cores > 0) {
        out += sentences("",
                         {counted(explanation.hidden_cores, "core is", "cores are") +
                          " held by leases that you may not see."},
                         style);
    }
    if (explanation.holders.empty()) return out;
    return out + "\nLeases of the pool:\n" + render_leases(explanation.holders, style);
}

std::string render_simulation(const Simulation& simulation, const OutputStyle& style) {
    if (is_data(style.format)) return text_of(data_of(simulation), style.format);
    const Machine& machine = simulation.machine;
    const Tenants tenants(machine.pools, machine.leases);
    std::string out = draw_machine(machine.host.topology, tenants, style);
    out += "\n" + render_pools(machine.pools, style);
    if (!machine.leases.empty()) out += "\n";
    for (const Lease& lease : machine.leases) {
        const std::string& mark = tenants.of_lease(lease).mark;
        out += sentences(mark + "  lease " + lease.id + ", pool " + lease.pool + ": ",
                         {join(places_of(machine.host.topology, lease.cpus), "; ")}, style);
    }
    out += sentences("warning: ", simulation.warnings, style);
    return out + sentences("refused: ", simulation.refusals, style);
}

std::string render_bundle(const std::string& path, const Bundle& bundle, const OutputStyle& style) {
    if (is_data(style.format)) {
        json value = document("Bundle");
        value["file"] = path;
        value["items"] = json::array();
        for (const BundleFile& file : bundle.files)
            value["items"].push_back({{"name", file.name}, {"bytes", file.content.size()}});
        value["missing"] = bundle.missing;
        return text_of(value, style.format);
    }
    std::string out = printable(path, style.unicode) + ":\n";
    for (const BundleFile& file : bundle.files)
        out += "  " + printable(file.name, style.unicode) + "\n";
    return out + sentences("missing: ", bundle.missing, style) +
           "Look through it before you send it.\n";
}

}  // namespace cmk
