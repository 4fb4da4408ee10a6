/** The few calls of libc that the JDK does not have: signals, network namespaces. */
@NullMarked
package io.fairlead.devkit.posix;

import org.jspecify.annotations.NullMarked;
