/** Process Pods as a client of the API. */
@NullMarked
package io.fairlead.standalone.pods.client;

import org.jspecify.annotations.NullMarked;
