/** What must hold after every fault, read from outside: from packets, kernels, etcd and the log. */
@NullMarked
package io.fairlead.testbed.check;

import org.jspecify.annotations.NullMarked;
