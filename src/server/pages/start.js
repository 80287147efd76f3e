// Makes calls from the start page. It loads nothing but the OpenAPI document of this server.
'use strict';

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// The document names the variables of a path otherwise than the HTTP rule.
const route = (method, path) => `${method} ${path.replace(/\{[^}]*\}/g, '{}')}`;

const operations = fetch('/openapi.json')
  .then((response) => response.json())
  .then(({ paths }) => new Map(Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => [route(method.toUpperCase(), path), operation]))));

// Indents JSON without reading it: JavaScript's numbers would not be exact.
function indented(json) {
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  const tokens = json.match(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s"{}[\],:]+/g) ?? [];
  return tokens.map((token, index) => {
    if (token === '{' || token === '[') {
      depth += 1;
      return /[}\]]/.test(tokens[index + 1]) ? token : token + line();
    }
    if (token === '}' || token === ']') {
      depth -= 1;
      return /[{[]/.test(tokens[index - 1]) ? token : line() + token;
    }
    return token === ',' ? token + line() : token === ':' ? ': ' : token;
  }).join('');
}

async function shown(response) {
  const head = [`${response.status} ${response.statusText}`, ...[...response.headers].map((header) => header.join(': '))];
  const type = response.headers.get('content-type') ?? '';
  const body = type.startsWith('application/json') ? indented(await response.text()) : `${(await response.blob()).size} bytes`;
  return `${head.join('\n')}\n\n${body}`;
}

function field({ name, in: place, description, example, schema }) {
  const input = element('input', { name, value: example ?? '' });
  const send = (request) => {
    if (place === 'path') {
      // In the order of the path.
      request.path = request.path.replace(/\{[^}]*\}/, encodeURIComponent(input.value));
    } else if (input.value) {
      for (const value of schema?.type === 'array' ? input.value.split(',') : [input.value]) {
        request.query.append(name, value.trim());
      }
    }
  };
  return { label: element('label', {}, name, ' ', element('small', {}, description ?? ''), input), send };
}

async function open(details) {
  const { method, path } = details.dataset;
  const operation = (await operations).get(route(method, path));
  const variables = [...path.matchAll(/\{([^}=]*)[^}]*\}/g)].map(([, name]) => ({ name, in: 'path' }));
  const fields = (operation?.parameters ?? variables).map(field);
  const content = operation?.requestBody?.content['application/json'];
  const body = element('textarea', { name: 'body', rows: 12, value: JSON.stringify(content?.example ?? {}, null, 2) });
  const hasBody = operation ? Boolean(operation.requestBody) : !['GET', 'DELETE'].includes(method);
  const answer = element('pre', { hidden: true });
  const form = element('form', {}, element('p', {}, operation?.description ?? ''), ...fields.map(({ label }) => label),
    ...(hasBody ? [element('label', {}, 'body', body)] : []), element('button', {}, `Send ${method}`), answer);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const request = { path, query: new URLSearchParams() };
    for (const { send } of fields) send(request);
    const headers = {};
    const token = document.querySelector('#token').value;
    if (token) headers.authorization = `Bearer ${token}`;
    if (hasBody) headers['content-type'] = 'application/json';
    const query = request.query.toString();
    answer.hidden = false;
    answer.textContent = '…';
    try {
      answer.textContent = await shown(await fetch(request.path + (query && `?${query}`), {
        method, headers, body: hasBody ? body.value : undefined,
      }));
    } catch (error) {
      answer.textContent = `${error}`;
    }
  });
  details.append(form);
}

for (const details of document.querySelectorAll('details')) {
  details.addEventListener('toggle', () => open(details), { once: true });
}
