/** Pods as processes: what one Pod and one container do, and who watches over them. */
@NullMarked
package io.fairlead.standalone.pods.run;

import org.jspecify.annotations.NullMarked;
