// SPDX-License-Identifier: Apache-2.0
const {workspace} = require('vscode');
const {LanguageClient} = require('vscode-languageclient/node');

let client;

exports.activate = () => {
  const settings = workspace.getConfiguration('pdp');
  client = new LanguageClient('pdp', 'pdp policies',
    {command: settings.get('pdpctl'), args: ['lsp']},
    {documentSelector: [{scheme: 'file', language: 'yaml'}], initializationOptions: {folders: settings.get('folders')}});
  return client.start();
};

exports.deactivate = () => client && client.stop();
