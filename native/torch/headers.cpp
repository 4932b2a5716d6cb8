// Nothing of its own: what it is compiled from is precompiled (CMakeLists.txt).
