# SPDX-License-Identifier: Apache-2.0
#
# cmake -DPAGE=DIR -DSCRIPTS=a.js,b.js -DOUTPUT=FILE.cpp -P embed_page.cmake
#
# The sources of the page of a run as C++: template, style and script (the scripts one behind the other), and for its
# Content-Security-Policy the hashes of style and script, as browsers take them: SHA-256 in base64.

# base64(<variable> <hexadecimal digits>): 32 bytes.
function(base64 variable digits)
    set(alphabet "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    set(text "")
    set(padded "${digits}00")  # a multiple of three bytes
    foreach(group RANGE 10)
        math(EXPR at "${group} * 6")
        string(SUBSTRING "${padded}" ${at} 6 bytes)
        foreach(shift IN ITEMS 18 12 6 0)
            math(EXPR index "(0x${bytes} >> ${shift}) & 63")
            string(SUBSTRING "${alphabet}" ${index} 1 letter)
            string(APPEND text "${letter}")
        endforeach()
    endforeach()
    string(SUBSTRING "${text}" 0 43 text)
    set(${variable} "${text}=" PARENT_SCOPE)
endfunction()

# With `script` every name stays in the page's own scope.
set(script "\"use strict\";\n")
string(REPLACE "," ";" SCRIPTS "${SCRIPTS}")
foreach(name IN LISTS SCRIPTS)
    file(READ "${PAGE}/${name}" text)
    string(APPEND script "${text}")
endforeach()
file(READ "${PAGE}/page.css" style)
file(READ "${PAGE}/page.html" template)
foreach(name IN ITEMS script style)
    string(SHA256 hash "${${name}}")
    base64(${name}_hash "${hash}")
endforeach()

file(WRITE "${OUTPUT}" "#include \"report/page_sources.h\"

namespace pefsim::report::page_sources {

const std::string_view page = R\"====(${template})====\";
const std::string_view style = R\"====(${style})====\";
const std::string_view style_hash = \"${style_hash}\";
const std::string_view script = R\"====(${script})====\";
const std::string_view script_hash = \"${script_hash}\";

}  // namespace pefsim::report::page_sources
")
