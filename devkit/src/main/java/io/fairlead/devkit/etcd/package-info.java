/** A real etcd as a child process. */
@NullMarked
package io.fairlead.devkit.etcd;

import org.jspecify.annotations.NullMarked;
