/** Nodes and Pods as network namespaces on a network of their own, and sockets in them. */
@NullMarked
package io.fairlead.devkit.fabric;

import org.jspecify.annotations.NullMarked;
