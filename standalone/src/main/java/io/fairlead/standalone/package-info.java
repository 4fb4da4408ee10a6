/** Everything on one machine; the only production module with the Kafka broker. */
@NullMarked
package io.fairlead.standalone;

import org.jspecify.annotations.NullMarked;
