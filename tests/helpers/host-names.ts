/** Hosts as inventories name them: ranges, ports and addresses, many of them malformed. */
export const HOST_NAMES: readonly string[] = (
  'h[01:03] h[a:c] h[1:9:2] h[a:f:2]-[8:10].x [1:2].example.com h[X:Z] h[:2] h[008:010]x ' +
  'h[3:1] h[c:a] h[1:2]_ h[01:3] h[1:2 h1:2] h[] h[1] h[1:2]:22 h[1:2:0] h[a:2] h[a:] ' +
  'h[z:B] h[1:2:3:4] h[1-2] [h]:22 [::1]:22 [fe80::[a:c]]:2222 [h[1:2]]:22 [1:3]:22 ' +
  '[a:b]:22 [h:1]:22 ::1 fe80::[a:b] fe80::[1:2] [::ffff:1.2.3.4]:22 [1:2:3:4:5:6:7:8]:9 ' +
  '[::1] :: [1:2:3:4:5:6:7::]:22 [1:2:3:4:5:6::8]:22 [::1%eth0]:22 _:22 h_:22 h-:22 ' +
  '-h:22 -h[1:2] h..x:22 h:0 h:00 h: h:22:33 a:b:22 1:2 h[1:2]h:9 10.0.0.[1:3] ' +
  '10.0.0.[1:3]:22 h]1:2[ hé[1:2]:22 h|[1:2] h[[1:2]] h:1x'
).split(' ');
