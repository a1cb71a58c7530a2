#include "engine/api/cel/declarations.h"

namespace orrery::api::cel {
namespace {

constexpr std::string_view kOrder =
    "bool,bool:bool;int,int:bool;int,double:bool;int,uint:bool;uint,uint:bool;uint,double:bool;uint,int:bool;double,double:bool;"
    "double,int:bool;double,uint:bool;string,string:bool;bytes,bytes:bool;timestamp,timestamp:bool;duration,duration:bool";
constexpr std::string_view kExtreme =
    ".list<int>:int;.list<uint>:uint;.list<double>:double;.list<string>:string;.list<bool>:bool;.list<bytes>:bytes;"
    ".list<timestamp>:timestamp;.list<duration>:duration";
constexpr std::string_view kDatePart = ".timestamp:int;.timestamp,string:int";
constexpr std::string_view kTimePart = ".timestamp:int;.timestamp,string:int;.duration:int";
constexpr std::string_view kFormat = ":kubernetes.NamedFormat";

constexpr FunctionDeclaration kFunctions[] = {
    // Operators.
    {"_&&_", "bool,bool:bool"},
    {"_||_", "bool,bool:bool"},
    {"!_", "bool:bool"},
    {"_?_:_", "bool,A,A:A"},
    {"-_", "int:int;double:double"},
    {"_==_", "A,A:bool"},
    {"_!=_", "A,A:bool"},
    {"_<_", kOrder},
    {"_<=_", kOrder},
    {"_>_", kOrder},
    {"_>=_", kOrder},
    {"@in", "A,list<A>:bool;A,map<A,B>:bool"},
    {"_[_]", "list<A>,int:A;map<A,B>,A:B;optional_type<list<V>>,int:optional_type<V>;optional_type<map<K,V>>,K:optional_type<V>"},
    {"_[?_]", "list<V>,int:optional_type<V>;optional_type<list<V>>,int:optional_type<V>;map<K,V>,K:optional_type<V>;"
              "optional_type<map<K,V>>,K:optional_type<V>"},
    {"_+_", "bytes,bytes:bytes;double,double:double;duration,duration:duration;duration,timestamp:timestamp;"
            "timestamp,duration:timestamp;int,int:int;list<A>,list<A>:list<A>;string,string:string;uint,uint:uint"},
    {"_-_", "double,double:double;duration,duration:duration;int,int:int;timestamp,duration:timestamp;"
            "timestamp,timestamp:duration;uint,uint:uint"},
    {"_*_", "double,double:double;int,int:int;uint,uint:uint"},
    {"_/_", "double,double:double;int,int:int;uint,uint:uint"},
    {"_%_", "int,int:int;uint,uint:uint"},
    // Conversions.
    {"bool", "bool:bool;string:bool"},
    {"bytes", "bytes:bytes;string:bytes"},
    {"double", "double:double;int:double;string:double;uint:double"},
    {"duration", "duration:duration;int:duration;string:duration"},
    {"dyn", "A:dyn"},
    {"int", "int:int;double:int;duration:int;string:int;timestamp:int;uint:int"},
    {"string", "string:string;bool:string;bytes:string;double:string;duration:string;int:string;timestamp:string;uint:string;"
               "net.IP:string;net.CIDR:string"},
    {"timestamp", "timestamp:timestamp;int:timestamp;string:timestamp"},
    {"type", "A:type<A>"},
    {"uint", "uint:uint;double:uint;int:uint;string:uint"},
    // Sizes, texts and times.
    {"size", "bytes:int;list<A>:int;map<A,B>:int;string:int;.bytes:int;.list<A>:int;.map<A,B>:int;.string:int"},
    {"contains", ".string,string:bool"},
    {"endsWith", ".string,string:bool"},
    {"startsWith", ".string,string:bool"},
    {"matches", "string,string:bool;.string,string:bool"},
    {"getFullYear", kDatePart},
    {"getMonth", kDatePart},
    {"getDayOfYear", kDatePart},
    {"getDate", kDatePart},
    {"getDayOfMonth", kDatePart},
    {"getDayOfWeek", kDatePart},
    {"getHours", kTimePart},
    {"getMinutes", kTimePart},
    {"getSeconds", kTimePart},
    {"getMilliseconds", kTimePart},
    {"charAt", ".string,int:string"},
    {"indexOf", ".string,string:int;.string,string,int:int;.list<A>,A:int"},
    {"lastIndexOf", ".string,string:int;.string,string,int:int;.list<A>,A:int"},
    {"join", ".list<string>:string;.list<string>,string:string"},
    {"lowerAscii", ".string:string"},
    {"upperAscii", ".string:string"},
    {"replace", ".string,string,string:string;.string,string,string,int:string"},
    {"split", ".string,string:list<string>;.string,string,int:list<string>"},
    {"substring", ".string,int:string;.string,int,int:string"},
    {"trim", ".string:string"},
    {"format", ".string,list<dyn>:string"},
    {"strings.quote", "string:string"},
    {"find", ".string,string:string"},
    {"findAll", ".string,string:list<string>;.string,string,int:list<string>"},
    // Lists and sets.
    {"isSorted", ".list<int>:bool;.list<uint>:bool;.list<double>:bool;.list<string>:bool;.list<bool>:bool;.list<bytes>:bool;"
                 ".list<timestamp>:bool;.list<duration>:bool"},
    {"sum", ".list<int>:int;.list<uint>:uint;.list<double>:double;.list<duration>:duration"},
    {"max", kExtreme},
    {"min", kExtreme},
    {"sets.contains", "list<A>,list<A>:bool"},
    {"sets.equivalent", "list<A>,list<A>:bool"},
    {"sets.intersects", "list<A>,list<A>:bool"},
    // Optional values.
    {"optional.of", "V:optional_type<V>"},
    {"optional.ofNonZeroValue", "V:optional_type<V>"},
    {"optional.none", ":optional_type<V>"},
    {"value", ".optional_type<V>:V"},
    {"hasValue", ".optional_type<V>:bool"},
    {"or", ".optional_type<V>,optional_type<V>:optional_type<V>"},
    {"orValue", ".optional_type<V>,V:V"},
    // Addresses.
    {"url", "string:kubernetes.URL"},
    {"isURL", "string:bool"},
    {"getScheme", ".kubernetes.URL:string"},
    {"getHost", ".kubernetes.URL:string"},
    {"getHostname", ".kubernetes.URL:string"},
    {"getPort", ".kubernetes.URL:string"},
    {"getEscapedPath", ".kubernetes.URL:string"},
    {"getQuery", ".kubernetes.URL:map<string,list<string>>"},
    {"ip", "string:net.IP;.net.CIDR:net.IP"},
    {"isIP", "string:bool"},
    {"ip.isCanonical", "string:bool"},
    {"family", ".net.IP:int"},
    {"isUnspecified", ".net.IP:bool"},
    {"isLoopback", ".net.IP:bool"},
    {"isLinkLocalMulticast", ".net.IP:bool"},
    {"isLinkLocalUnicast", ".net.IP:bool"},
    {"isGlobalUnicast", ".net.IP:bool"},
    {"cidr", "string:net.CIDR"},
    {"isCIDR", "string:bool"},
    {"containsIP", ".net.CIDR,string:bool;.net.CIDR,net.IP:bool"},
    {"containsCIDR", ".net.CIDR,string:bool;.net.CIDR,net.CIDR:bool"},
    {"masked", ".net.CIDR:net.CIDR"},
    {"prefixLength", ".net.CIDR:int"},
    // Quantities.
    {"quantity", "string:kubernetes.Quantity"},
    {"isQuantity", "string:bool"},
    {"sign", "kubernetes.Quantity:int"},
    {"isGreaterThan", ".kubernetes.Quantity,kubernetes.Quantity:bool"},
    {"isLessThan", ".kubernetes.Quantity,kubernetes.Quantity:bool"},
    {"compareTo", ".kubernetes.Quantity,kubernetes.Quantity:int"},
    {"asApproximateFloat", ".kubernetes.Quantity:double"},
    {"asInteger", ".kubernetes.Quantity:int"},
    {"isInteger", ".kubernetes.Quantity:bool"},
    {"add", ".kubernetes.Quantity,kubernetes.Quantity:kubernetes.Quantity;.kubernetes.Quantity,int:kubernetes.Quantity"},
    {"sub", ".kubernetes.Quantity,kubernetes.Quantity:kubernetes.Quantity;.kubernetes.Quantity,int:kubernetes.Quantity"},
    // Formats of names.
    {"format.named", "string:optional_type<kubernetes.NamedFormat>"},
    {"format.dns1123Label", kFormat},
    {"format.dns1123Subdomain", kFormat},
    {"format.dns1035Label", kFormat},
    {"format.qualifiedName", kFormat},
    {"format.dns1123LabelPrefix", kFormat},
    {"format.dns1123SubdomainPrefix", kFormat},
    {"format.dns1035LabelPrefix", kFormat},
    {"format.labelValue", kFormat},
    {"format.uri", kFormat},
    {"format.uuid", kFormat},
    {"format.byte", kFormat},
    {"format.date", kFormat},
    {"format.datetime", kFormat},
    {"validate", ".kubernetes.NamedFormat,string:optional_type<list<string>>"},
    // Authorization.
    {"path", ".kubernetes.authorization.Authorizer,string:kubernetes.authorization.PathCheck"},
    {"group", ".kubernetes.authorization.Authorizer,string:kubernetes.authorization.GroupCheck"},
    {"serviceAccount", ".kubernetes.authorization.Authorizer,string,string:kubernetes.authorization.Authorizer"},
    {"resource", ".kubernetes.authorization.GroupCheck,string:kubernetes.authorization.ResourceCheck"},
    {"subresource", ".kubernetes.authorization.ResourceCheck,string:kubernetes.authorization.ResourceCheck"},
    {"namespace", ".kubernetes.authorization.ResourceCheck,string:kubernetes.authorization.ResourceCheck"},
    {"name", ".kubernetes.authorization.ResourceCheck,string:kubernetes.authorization.ResourceCheck"},
    {"fieldSelector", ".kubernetes.authorization.ResourceCheck,string:kubernetes.authorization.ResourceCheck"},
    {"labelSelector", ".kubernetes.authorization.ResourceCheck,string:kubernetes.authorization.ResourceCheck"},
    {"check", ".kubernetes.authorization.PathCheck,string:kubernetes.authorization.Decision;"
              ".kubernetes.authorization.ResourceCheck,string:kubernetes.authorization.Decision"},
    {"errored", ".kubernetes.authorization.Decision:bool"},
    {"error", ".kubernetes.authorization.Decision:string"},
    {"allowed", ".kubernetes.authorization.Decision:bool"},
    {"reason", ".kubernetes.authorization.Decision:string"},
};

}  // namespace

std::span<const FunctionDeclaration> function_declarations() { return kFunctions; }

const FunctionDeclaration* find_function(std::string_view name) {
  for (const FunctionDeclaration& function : kFunctions)
    if (function.name == name) return &function;
  return nullptr;
}

}  // namespace orrery::api::cel
