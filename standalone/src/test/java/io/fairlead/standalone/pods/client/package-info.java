@NullMarked
package io.fairlead.standalone.pods.client;

import org.jspecify.annotations.NullMarked;
