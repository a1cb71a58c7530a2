#include <algorithm>
#include <string>

#include "engine/api/json_value.h"
#include "sim/report/assets.h"
#include "sim/report/report.h"

namespace orrery::sim {
namespace {

// A value inside a script: no text may end the element early (the writer escapes '<').
std::string series_json(const RunResult& r) {
  using api::Json;
  Json time = Json::array(), columns = Json::object();
  const auto column = [&](const char* name, auto pick) {
    Json values = Json::array();
    for (const Sample& s : r.series) values.push_back(Json(pick(s)));
    columns.set(name, std::move(values));
  };
  column("time", [](const Sample& s) { return s.time; });
  column("pending", [](const Sample& s) { return s.pending; });
  column("bound", [](const Sample& s) { return s.bound; });
  column("running", [](const Sample& s) { return s.running; });
  column("cpu", [](const Sample& s) { return s.cpu_allocated_pct; });
  column("memory", [](const Sample& s) { return s.memory_allocated_pct; });
  column("gpu", [](const Sample& s) { return s.gpu_allocated_pct; });
  column("cpuUsed", [](const Sample& s) { return s.cpu_used_pct; });
  column("memoryUsed", [](const Sample& s) { return s.memory_used_pct; });
  column("gpuUsed", [](const Sample& s) { return s.gpu_used_pct; });
  column("arrived", [](const Sample& s) { return s.gpu_arrived_pct; });
  column("fragmentation", [](const Sample& s) { return s.gpu_fragmentation_pct; });
  Json arrived = Json::array(), unallocated = Json::array(), fragmentation = Json::array();
  for (const auto& [percent, bin] : r.by_arrival) {
    arrived.push_back(percent);
    unallocated.push_back(bin.unallocated_pct);
    fragmentation.push_back(bin.fragmentation_pct);
  }
  columns.set("byArrived", std::move(arrived));
  columns.set("unallocated", std::move(unallocated));
  columns.set("fragmentationByArrived", std::move(fragmentation));
  columns.set("hasGpu", r.gpu_milli_capacity > 0);
  return columns.dump();
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

constexpr const char* kStyle = R"css(
:root{--ink:#1b1f24;--paper:#fff;--soft:#f4f6f8;--line:#d8dee4;--dim:#59636e}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--soft:#161b22;--line:#30363d;--dim:#9198a1}}
*{box-sizing:border-box}body{margin:0;padding:2rem 1.5rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:auto}h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{color:var(--dim);margin:.3rem 0 1rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.75rem;margin:1.25rem 0}
.tile{background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:.7rem .9rem}.tile b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
.tile span{color:var(--dim);font-size:.85rem}.plot{background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:.6rem}
table{border-collapse:collapse;width:100%}td,th{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;font-variant-numeric:tabular-nums}
td:first-child,th:first-child{text-align:left}pre{background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:1rem;overflow:auto;font-size:13px}
.u-legend{color:var(--ink)}
)css";

constexpr const char* kScript = R"js(
const ink=getComputedStyle(document.documentElement).getPropertyValue('--ink').trim(),
 line=getComputedStyle(document.documentElement).getPropertyValue('--line').trim();
const colors=['#1f77b4','#d9822b','#2b9348','#8e44ad'];
function plot(id,x,series,unit,time){
 const el=document.getElementById(id);if(!el||!x.length)return;
 const axis={stroke:ink,grid:{stroke:line,width:1},ticks:{stroke:line}};
 const clock=v=>v>=172800?(v/86400).toFixed(1)+' d':v>=7200?(v/3600).toFixed(1)+' h':v>=120?(v/60).toFixed(1)+' min':v+' s';
 const opts={width:Math.max(320,el.clientWidth-20),height:280,scales:{x:{time:false}},
  series:[{label:time?'time':'arrived %',value:(u,v)=>v==null?'':(time?clock(v):v+' %')}].concat(series.map((s,i)=>({label:s[0],stroke:colors[i],width:2,points:{show:false},
   value:(u,v)=>v==null?'':(+v).toFixed(unit?2:0)+unit}))),
  axes:[Object.assign({values:(u,vs)=>vs.map(v=>time?clock(v):v+' %')},axis),Object.assign({size:64,values:(u,vs)=>vs.map(v=>v+unit)},axis)]};
 const u=new uPlot(opts,[x].concat(series.map(s=>s[1])),el);
 addEventListener('resize',()=>u.setSize({width:Math.max(320,el.clientWidth-20),height:280}));
 el.dataset.drawn='1';
}
plot('pods',D.time,[['running',D.running],['bound, not running',D.bound],['pending',D.pending]],'',true);
plot('allocation',D.time,[['CPU',D.cpu],['memory',D.memory]].concat(D.hasGpu?[['GPU',D.gpu]]:[]),' %',true);
plot('utilisation',D.time,[['CPU',D.cpuUsed],['memory',D.memoryUsed]].concat(D.hasGpu?[['GPU',D.gpuUsed]]:[]),' %',true);
if(D.hasGpu){plot('gpu',D.time,[['GPU asked for',D.arrived],['GPU allocated',D.gpu],['fragmented',D.fragmentation]],' %',true);
plot('arrival',D.byArrived,[['unallocated',D.unallocated],['fragmented',D.fragmentationByArrived]],' %',false);}
)js";

std::string tile(const std::string& value, const std::string& label) {
  return "<div class=tile><b>" + value + "</b><span>" + escape_html(label) + "</span></div>";
}

std::string fixed(double v, int digits) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.*f", digits, v);
  return text;
}

std::string percentile_row(const char* name, const Percentiles& p) {
  return str_cat("<tr><td>", name, "</td><td>", p.count, "</td><td>", fixed(p.mean, 3), "</td><td>", fixed(p.p50, 3), "</td><td>", fixed(p.p90, 3),
                 "</td><td>", fixed(p.p99, 3), "</td><td>", fixed(p.max, 3), "</td></tr>");
}

}  // namespace

std::string report_html(const RunResult& r, const Scenario& scenario) {
  const Sample last = r.series.empty() ? Sample() : r.series.back();
  std::string out = "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content=\"width=device-width,initial-scale=1\"><title>Orrery: " +
                    escape_html(r.scenario) + "</title><style>" + std::string(uplot_css()) + kStyle + "</style></head><body><main>";
  out += "<h1>" + escape_html(r.scenario) + "</h1><p>" + escape_html(scenario.description) + "</p><div class=tiles>";
  out += tile(std::to_string(r.nodes), "nodes") + tile(std::to_string(r.pods.submitted), "pods submitted") +
         tile(std::to_string(r.pods.running + r.pods.bound), "bound at the end") + tile(std::to_string(r.pods.pending), "pending at the end") +
         tile(std::to_string(r.pods.dropped), "did not fit, dropped") + tile(fixed(last.cpu_allocated_pct, 1) + " %", "CPU allocated") +
         tile(fixed(last.memory_allocated_pct, 1) + " %", "memory allocated");
  if (r.gpu_milli_capacity > 0) out += tile(fixed(last.gpu_allocated_pct, 1) + " %", "GPUs allocated");
  if (const auto it = r.by_arrival.find(100); it != r.by_arrival.end())
    out += tile(fixed(it->second.unallocated_pct, 2) + " %", "GPUs unallocated when 100 % had been asked for");
  out += "</div><h2>Pods</h2><div class=plot id=pods></div><h2>Allocated share of the cluster</h2><p>What bound pods request.</p><div class=plot id=allocation></div>";
  const bool ran = std::any_of(r.series.begin(), r.series.end(), [](const Sample& s) { return s.cpu_used_pct + s.memory_used_pct + s.gpu_used_pct > 0; });
  if (ran) out += "<h2>Used share of the cluster</h2><p>What running pods request.</p><div class=plot id=utilisation></div>";
  if (r.gpu_milli_capacity > 0)
    out += "<h2>GPUs</h2><div class=plot id=gpu></div><h2>GPUs by requested share of capacity</h2><div class=plot id=arrival></div>";
  out += "<h2>Latencies (seconds of virtual time)</h2><table><tr><th></th><th>pods</th><th>mean</th><th>p50</th><th>p90</th><th>p99</th><th>max</th></tr>" +
         percentile_row("in the queue", r.queue_wait) + percentile_row("created to bound", r.scheduling) + percentile_row("bound to running", r.startup) + "</table>";
  out += "<h2>Run</h2><table>";
  for (const auto& [key, value] : r.parameters) out += "<tr><td>" + escape_html(key) + "</td><td>" + escape_html(value) + "</td></tr>";
  char digest[20];
  std::snprintf(digest, sizeof(digest), "%016llx", static_cast<unsigned long long>(r.digest));
  out += str_cat("<tr><td>seed</td><td>", r.seed, "</td></tr><tr><td>virtual seconds</td><td>", fixed(r.virtual_seconds, 0), "</td></tr><tr><td>events executed</td><td>",
                 r.events, "</td></tr><tr><td>object writes</td><td>", r.object_writes, "</td></tr><tr><td>digest</td><td>", digest, "</td></tr></table>");
  out += "<h2>Scenario</h2><pre>" + escape_html(scenario.text) + "</pre></main><script>" + std::string(uplot_js()) + "</script><script>const D=" +
         series_json(r) + ";" + kScript + "</script></body></html>\n";
  return out;
}

}  // namespace orrery::sim
