/** Questions about names that are not the cluster's, passed on to other servers. */
@NullMarked
package io.fairlead.dns.forward;

import org.jspecify.annotations.NullMarked;
