import { describe, expect, it } from 'vitest';
import {
  failuresIn,
  isNewEnough,
  order,
  parseServersConn,
  parseServersState,
  parseStat,
  parseVersion,
} from '../../src/routers/haproxy-runtime.js';

// As HAProxy 3.0.11 prints it.
const STATE = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 b8080 1 s1 192.168.48.3 2 68 10 1 1 6 3 2 6 0 0 0 c0aa600a57de 8080 - 0 0 - - 0
3 b8080 2 s2 - 0 100 1 1 6 1 0 0 14 0 0 0 c0aa600a57de 8080 - 0 0 - - 0
3 b8080 3 s3 0.0.0.0 0 5 1 1 6 1 0 0 14 0 0 0 - 8080 - 0 0 - - 0
3 b8080 4 s4 192.168.48.4 2 72 1 1 6 1 0 0 14 0 0 0 79ce11047d3c 8080 - 0 0 - - 0
3 b8080 5 s5 192.168.48.5 0 64 1 1 6 1 0 0 14 0 0 0 79ce11047d3d 8080 - 0 0 - - 0

`;

const CONN = `# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[2]
b8080/s1 3/1 - 8080 - 5000 7 9 0 0 0 -1 3 1 2
b8080/s2 3/2 0.0.0.0 8080 - 5000 0 0 0 0 0 -1 0 0 0

`;

describe('show servers state', () => {
  it('tells who takes new requests, and why the others do not', () => {
    const servers = parseServersState(STATE);
    expect(servers.map(({ name, usable, admin, unresolved }) => ({ name, usable, admin, unresolved }))).toEqual([
      { name: 's1', usable: true, admin: 'ready', unresolved: false },
      { name: 's2', usable: false, admin: 'ready', unresolved: true },
      { name: 's3', usable: false, admin: 'maint', unresolved: false },
      { name: 's4', usable: false, admin: 'drain', unresolved: false },
      { name: 's5', usable: false, admin: 'ready', unresolved: false },
    ]);
    expect(servers[0]).toMatchObject({ address: '192.168.48.3', port: 8080, fqdn: 'c0aa600a57de', weight: 10 });
    expect(servers[2]).toMatchObject({ address: undefined, fqdn: undefined });
  });

  it('is not what HAProxy says of a backend that it does not have', () => {
    expect(() => parseServersState("Can't find backend.\n\n")).toThrow(/Can't find backend/);
  });
});

describe('answers to several commands', () => {
  it('are told apart by the empty line between them', () => {
    const all = `${STATE}${CONN}# pxname,svname,lbtot,mode,\nb8080,s1,9,http,\n\n`;
    expect(parseServersState(all)).toHaveLength(5);
    expect(parseServersConn(all)).toHaveLength(2);
    expect(parseStat(all)).toMatchObject([{ name: 's1', requests: 9 }]);
  });
});

describe('show servers conn', () => {
  it('counts connections in use apart from idle ones', () => {
    expect(parseServersConn(CONN)).toEqual([
      { backend: 'b8080', name: 's1', used: 7, idle: 3 },
      { backend: 'b8080', name: 's2', used: 0, idle: 0 },
    ]);
  });
});

describe('show stat', () => {
  const columns = '# pxname,svname,econ,eresp,lbtot,hrsp_5xx,ctime,ttime,mode,';

  it('tells a backup, and what the last health check found', () => {
    const text = '# pxname,svname,act,bck,check_status,check_code,lbtot,\nb,s1,1,0,L7STS,503,1,\nb,s2,0,1,,,0,\n\n';
    expect(parseStat(text)).toMatchObject([
      { name: 's1', backup: false, lastCheck: 'L7STS 503' },
      { name: 's2', backup: true, lastCheck: undefined },
    ]);
  });

  it('counts requests and failures of an HTTP server', () => {
    expect(parseStat(`${columns}\nb8080,s1,2,1,120,4,0,13,http,\nb8080,s2,0,0,0,0,0,0,http,\n\n`)).toMatchObject([
      { backend: 'b8080', name: 's1', requests: 120, errors5xx: 4, connectionErrors: 3, averageMs: 13 },
      { backend: 'b8080', name: 's2', requests: 0, errors5xx: 0, connectionErrors: 0, averageMs: undefined },
    ]);
  });

  it('takes the time to connect for a TCP server, whose connections last as long as their clients want', () => {
    expect(parseStat(`${columns}\nb6379,s1,0,0,3,,1,90000,tcp,\n`)).toMatchObject([
      { backend: 'b6379', name: 's1', requests: 3, errors5xx: 0, connectionErrors: 0, averageMs: 1 },
    ]);
  });
});

describe('answers', () => {
  it.each([
    ['', []],
    ['\n\n\n', []],
    ["b8080/s1 changed its FQDN from (null) to c0aa600a57de by 'stats socket command'\n\n", []],
    ["IP changed from '0.0.0.0' to '10.0.0.2' by 'stats socket command'\n", []],
    ['New server registered.\n', []],
    ['\nNo such server.\n\n', ['No such server.']],
    [
      'Absolute weight can only be between 0 and 256 inclusive.\n',
      ['Absolute weight can only be between 0 and 256 inclusive.'],
    ],
  ])('%j', (answer, failures) => {
    expect(failuresIn(answer)).toEqual(failures);
  });

  it('make an order fail with what HAProxy says', async () => {
    const asked: (readonly string[])[] = [];
    const commands = ['set server b/x state ready'];
    const transport = (given: readonly string[]): Promise<string> => {
      asked.push(given);
      return Promise.resolve('No such server.\n');
    };
    await expect(order(transport, commands)).rejects.toMatchObject({
      code: 'E_ROUTER',
      message: 'HAProxy refused a command: No such server.',
    });
    await order(transport, []);
    expect(asked).toEqual([commands]);
  });
});

describe('show version', () => {
  it.each([
    ['3.0.11-1+deb13u4\n\n', '3.0.11', true],
    ['3.2.26\n', '3.2.26', true],
    ['2.8.3-86e043a\n', '2.8.3', false],
  ])('%j', (answer, version, enough) => {
    expect(parseVersion(answer)).toBe(version);
    expect(isNewEnough(version)).toBe(enough);
  });

  it('is refused when it is none', () => {
    expect(() => parseVersion('Unknown command')).toThrow(/does not answer as expected/);
  });
});
