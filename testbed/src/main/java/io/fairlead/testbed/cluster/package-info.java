/**
 * A whole deployment on this machine: real processes in network namespaces, with verbs to hurt
 * them.
 */
@NullMarked
package io.fairlead.testbed.cluster;

import org.jspecify.annotations.NullMarked;
