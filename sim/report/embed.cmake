# Makes a C++ source of two text files: -DJS=... -DCSS=... -DOUT=...
# Raw string literals are limited in length, so the text is cut into pieces.
function(literal path variable)
  file(READ ${path} text HEX)
  string(LENGTH "${text}" length)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${text}")
  set(${variable} "${bytes}" PARENT_SCOPE)
endfunction()
literal(${JS} js)
literal(${CSS} css)
file(WRITE ${OUT} "#include \"sim/report/assets.h\"\nnamespace orrery::sim {\n"
  "static const unsigned char kJs[] = {${js}0};\nstatic const unsigned char kCss[] = {${css}0};\n"
  "std::string_view uplot_js() { return {reinterpret_cast<const char*>(kJs), sizeof(kJs) - 1}; }\n"
  "std::string_view uplot_css() { return {reinterpret_cast<const char*>(kCss), sizeof(kCss) - 1}; }\n}\n")
